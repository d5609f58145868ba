// Package ladder turns the short forms of a ladder into stages. Each strategy is one file and one line of the registry;
// all of them give stages that rise, are bounded, and end at 100 %:
//
//	["1%", "5%", "25%", "100%"]   list      as written
//	"2% x2"                       doubling  2 4 8 16 32 64 100
//	"10% +10%"                    linear    10 20 30 ... 100
//	["preview", "100%"]           preview   forced requests only, a person, then everybody (blue-green)
//
// How long a stage lasts, who approves it and the like is not the ladder's: the caller fills it in. Rings of audiences
// are stages of the long form; Check holds what is true of every ladder, whatever form it was written in.
package ladder

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"serin/gate"
	"serin/router"
)

// MaxRungs is the most rungs a ladder may have.
const MaxRungs = 100

// Error is a rung that is not one, for a message that points at it.
type Error struct {
	Rung    int // index into what was parsed or checked; -1: the ladder as a whole
	Problem string
	Hint    string
}

func (e *Error) Error() string {
	if e.Rung < 0 {
		return "ladder: " + e.Problem
	}
	return fmt.Sprintf("ladder: rung %d: %s", e.Rung+1, e.Problem)
}

// strategy makes stages of rungs. mine is false where the rungs are written for another strategy.
type strategy func(rungs []string) (stages []gate.Stage, mine bool, err *Error)

var strategies = map[string]strategy{
	"doubling": doubling,
	"linear":   linear,
	"list":     list,
	"preview":  preview,
}

// Parse makes stages of a ladder's short form: one text, or a list of rungs. Labels and weights are filled, nothing else.
// The error is an *Error.
func Parse(rungs []string) ([]gate.Stage, error) {
	if len(rungs) == 0 {
		return nil, &Error{-1, "no rung: want at least one, and 100% as the last", `ladder = ["1%", "5%", "25%", "100%"]`}
	}
	for _, name := range slices.Sorted(maps.Keys(strategies)) {
		stages, mine, err := strategies[name](rungs)
		if !mine {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := Check(stages); err != nil {
			return nil, err
		}
		return stages, nil
	}
	panic("BUG: list takes whatever no other strategy takes")
}

// Check reports what is wrong with stages as a ladder, nil if nothing is: shares never fall, a preview comes first, the
// last stage is 100 %, and there are at most MaxRungs. The error is an *Error whose Rung indexes stages.
func Check(stages []gate.Stage) error {
	if n := len(stages); n == 0 || n > MaxRungs {
		return &Error{-1, fmt.Sprintf("%d rungs: want 1 to %d", n, MaxRungs), ""}
	}
	var before router.Weight
	for i, s := range stages {
		switch {
		case s.Weight > router.Full:
			return &Error{i, s.Label + " is more than everybody", ""}
		case s.Preview && i > 0:
			return &Error{i, "a preview is the first rung or none", ""}
		case s.Weight < before:
			return &Error{i, fmt.Sprintf("%s after %s: a ladder never goes down", s.Weight.String(), before.String()), ""}
		case s.Weight == before && shareOnly(s):
			if i == 0 {
				return &Error{i, "0% sends nobody: want a share, or preview", ""}
			}
			return &Error{i, s.Weight.String() + " twice", ""}
		}
		before = s.Weight
	}
	if before != router.Full {
		return &Error{len(stages) - 1, "the last rung is " + stages[len(stages)-1].Label + ": want 100%", ""}
	}
	return nil
}

// shareOnly reports whether the stage's share is all there is to it.
func shareOnly(s gate.Stage) bool { return !s.Preview && s.Audience == "" && s.Mirror == 0 }

// rung is one stage of a share.
func rung(w router.Weight) gate.Stage { return gate.Stage{Label: w.String(), Weight: w} }

// share reads "2.5%" exactly, in basis points.
func share(text string) (router.Weight, string) {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "%")
	if !ok {
		return 0, fmt.Sprintf("%q is no share: want one such as \"5%%\"", text)
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(f) || strings.ContainsAny(number, "eExXnN_") {
		return 0, fmt.Sprintf("%q is no share: want one such as \"5%%\"", text)
	}
	points := math.Round(f * 100)
	switch {
	case f < 0 || f > 100:
		return 0, fmt.Sprintf("%q is outside 0%% to 100%%", text)
	case math.Abs(points-f*100) > 1e-6:
		return 0, fmt.Sprintf("%q is finer than 0.01%%: users are parted into 10,000 buckets", text)
	}
	return router.Weight(points), ""
}
