// Package flag says what a feature flag is for a user: the value of the arm that the flag's rollout or experiment gives him.
// It is pure, and it asks the very split that routes his requests, so that flag and route cannot disagree:
//
//	key -> router.Split.ChooseAs -> arm -> Values[arm]
//
// A flag has no rules of its own. Its share grows with the rollout's weight, falls to nothing with a rollback, and is judged
// by the rollout's gates. What the request carries besides the key (force header, audiences by field) decides requests and is
// in the header they carry upstream; whoever asks by key alone is told what the key decides.
package flag

import (
	"encoding/json"
	"strconv"

	"serin/router"
)

// Flag is one flag. Immutable.
type Flag struct {
	Name     string
	Split    int    // ID of the rollout's or experiment's split
	Owner    string // its name
	Header   string // field sent upstream; "" none
	Values   []any  // by arm: bool, int64, float64, string, []any or map[string]any
	Variants []string
}

// Reason is why a flag has its value, in the words of the OpenFeature specification (section 1.4.7, "resolution reason").
type Reason string

const (
	Split    Reason = "SPLIT"           // the user's bucket decides
	Static   Reason = "STATIC"          // the same for everybody
	Targeted Reason = "TARGETING_MATCH" // an audience
	Disabled Reason = "DISABLED"        // the arm was stopped
	Default  Reason = "DEFAULT"         // the rollout or experiment is for others
)

// Answer is a flag's value for one user.
type Answer struct {
	Value   any
	Variant string
	Reason  Reason
}

// For is the flag's value for the user with the key; s is the split with the flag's ID as it routes now, and r what a request
// of his says besides, for audiences; nil: nothing.
func (f *Flag) For(s *router.Split, r *router.Request, key string) Answer {
	c := s.ChooseAs(r, key)
	arm := int(c.Arm) % len(f.Values)
	return Answer{Value: f.Values[arm], Variant: f.Variants[arm], Reason: reasonOf(s, c)}
}

func reasonOf(s *router.Split, c router.Choice) Reason {
	switch c.Why {
	case router.ByAudience:
		return Targeted
	case router.ByStopped:
		return Disabled
	case router.ByOutside:
		return Default
	case router.ByWeight, router.ByForce, router.ByNoKey, router.ByOther:
	}
	if s.Shares == nil && s.Group == nil && s.Audience == nil && s.Open == 0 && (s.Weight == 0 || s.Weight == router.Full) {
		return Static
	}
	return Split
}

// Text is a value as a header field carries it: strings as they are, everything else as JSON.
func Text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic("BUG: a flag's value is no JSON: " + err.Error())
	}
	return string(text)
}
