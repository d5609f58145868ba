package gate

import (
	"fmt"
	"time"
)

// Outside is what was heard from a system that serin does not measure itself: a metrics store, a check of the user's. Who
// fetches it is no business of the gate's; a reading carries its age, and an old or a failed one holds.
type Outside struct {
	Values  []float64       // the last readings, oldest first, at most OutsideKept: a metric's value, or for a check see Answer
	Ages    []time.Duration // of Values, since they were asked for
	Answer  Verdict         // of a check
	Note    string          // why, in the check's own words
	Age     time.Duration   // of the newest reading; meaningless without any
	Stale   time.Duration   // older than this is no reading any more
	Failure string          // why the last attempt brought none; empty: it did
	Heard   bool            // there has been a reading
}

// OutsideKept is how many readings are kept: a rollback wants two in a row, one is a glitch.
const OutsideKept = 3

// Fresh reports whether the newest reading still says something.
func (o *Outside) Fresh() bool { return o.Heard && o.Age <= o.Stale }

// since are the readings of the step alone, which has this age: as any evidence, what was heard of an earlier stage or attempt
// says nothing of this one.
func since(heard map[string]Outside, age time.Duration) map[string]Outside {
	if len(heard) == 0 {
		return heard
	}
	out := make(map[string]Outside, len(heard))
	for rule, o := range heard {
		for len(o.Ages) > 0 && len(o.Ages) == len(o.Values) && o.Ages[0] > age {
			o.Values, o.Ages = o.Values[1:], o.Ages[1:]
		}
		if o.Age > age {
			o.Values, o.Ages, o.Answer, o.Note, o.Heard = nil, nil, Hold, "", false
		}
		out[rule] = o
	}
	return out
}

// OutsideUnknown is the reason of a gate whose outside source says nothing: never a pass, never a rollback.
const OutsideUnknown Reason = "outside_unknown"

// Outside reports whether a finding rests on what another system said.
func (f *Finding) Outside() bool { return f.Scale == scaleValue || f.Scale == scaleAnswer }

// outsideText is what the other system said, against the limits.
func outsideText(f *Finding) string {
	switch {
	case f.Reason == OutsideUnknown && f.Note != "":
		return "no reading: " + f.Note
	case f.Reason == OutsideUnknown:
		return "no reading for too long"
	case f.Scale == scaleAnswer:
		return answerText(f)
	case f.Verdict == Hold && f.Reason == Collecting && f.ExpectedSeconds == nil:
		return "no reading yet"
	case f.RollbackLimit == nil:
		return fmt.Sprintf("%s (hold limit %s)", decimals(f.Canary, 4), decimals(f.HoldLimit, 4))
	}
	return fmt.Sprintf("%s (hold limit %s, rollback limit %s)", decimals(f.Canary, 4), decimals(f.HoldLimit, 4), decimals(*f.RollbackLimit, 4))
}

// answerText is what a check answered, and why.
func answerText(f *Finding) string {
	word := "allow"
	switch {
	case f.Verdict == Fail:
		word = "fail"
	case f.Reason == Collecting && f.ExpectedSeconds == nil:
		return "the check has not answered yet"
	case f.Verdict == Hold && f.Reason != Collecting:
		word = "hold"
	}
	if f.Note == "" {
		return "the check answers " + word
	}
	return "the check answers " + word + ": " + f.Note
}
