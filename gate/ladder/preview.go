package ladder

import "serin/gate"

const previewRung = "preview"

// preview begins with a stage that only forced requests (and audiences) reach; the rest is a list.
func preview(rungs []string) ([]gate.Stage, bool, *Error) {
	if rungs[0] != previewRung {
		return nil, false, nil
	}
	rest, _, err := shares(rungs[1:])
	if err != nil {
		return nil, true, &Error{err.Rung + 1, err.Problem, err.Hint}
	}
	return append([]gate.Stage{{Label: previewRung, Preview: true}}, rest...), true, nil
}
