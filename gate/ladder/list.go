package ladder

import "serin/gate"

// list takes every rung as written; it is the form of whatever is no other's.
func list(rungs []string) ([]gate.Stage, bool, *Error) {
	if rungs[0] == previewRung {
		return nil, false, nil
	}
	return shares(rungs)
}

func shares(rungs []string) ([]gate.Stage, bool, *Error) {
	stages := make([]gate.Stage, 0, len(rungs))
	for i, text := range rungs {
		if text == previewRung {
			return nil, true, &Error{i, "a preview is the first rung or none", ""}
		}
		w, problem := share(text)
		if problem != "" {
			return nil, true, &Error{i, problem, ""}
		}
		stages = append(stages, rung(w))
	}
	return stages, true, nil
}
