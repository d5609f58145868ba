package ladder

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"serin/gate"
	"serin/router"
)

// doubling multiplies the share at every rung, by 2 or any factor above 1: "2% x2".
func doubling(rungs []string) ([]gate.Stage, bool, *Error) {
	from, by, ok := strings.Cut(rungs[0], "x")
	if len(rungs) != 1 || !ok {
		return nil, false, nil
	}
	first, problem := share(from)
	if problem != "" {
		return nil, true, &Error{0, problem, ""}
	}
	factor, err := strconv.ParseFloat(strings.TrimSpace(by), 64)
	if err != nil || !(factor > 1) || factor > float64(router.Full) || first == 0 {
		return nil, true, &Error{0, fmt.Sprintf("%q never gets anywhere: want a share and a factor above 1, such as \"2%% x2\"", rungs[0]), ""}
	}
	var stages []gate.Stage
	for f := float64(first); math.Round(f) < float64(router.Full); f *= factor {
		w := router.Weight(math.Round(f))
		if n := len(stages); n > 0 && w == stages[n-1].Weight {
			continue
		}
		if len(stages) == MaxRungs-1 {
			return nil, true, tooMany(rungs[0])
		}
		stages = append(stages, rung(w))
	}
	return append(stages, rung(router.Full)), true, nil
}
