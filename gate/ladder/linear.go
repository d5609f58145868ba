package ladder

import (
	"fmt"
	"strings"

	"serin/gate"
	"serin/router"
)

// linear adds the same share at every rung: "10% +10%".
func linear(rungs []string) ([]gate.Stage, bool, *Error) {
	from, by, ok := strings.Cut(rungs[0], "+")
	if len(rungs) != 1 || !ok {
		return nil, false, nil
	}
	first, problem := share(from)
	if problem != "" {
		return nil, true, &Error{0, problem, ""}
	}
	step, problem := share(by)
	if problem != "" {
		return nil, true, &Error{0, problem, ""}
	}
	if first == 0 || step == 0 {
		return nil, true, &Error{0, fmt.Sprintf("%q never gets anywhere", rungs[0]), ""}
	}
	var stages []gate.Stage
	for w := int(first); w < int(router.Full); w += int(step) {
		if len(stages) == MaxRungs-1 {
			return nil, true, tooMany(rungs[0])
		}
		stages = append(stages, rung(router.Weight(w)))
	}
	return append(stages, rung(router.Full)), true, nil
}

func tooMany(text string) *Error {
	return &Error{0, fmt.Sprintf("%q needs more than %d rungs", text, MaxRungs), "begin higher, or take larger steps"}
}
