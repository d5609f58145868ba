package admin

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"serin/gate/control"
	"serin/router"
	"serin/router/flag"
)

// Flags answers what every flag is.
type Flags interface {
	// Flags are the flags in force, in the order of the file.
	Flags() []FlagState
	// Evaluate is the value of one flag, or of all of them (""), for a user as routed now; r is what a request of his says
	// besides the key, nil: nothing. All are of one moment.
	Evaluate(name string, r *router.Request, key string) []FlagAnswer
}

// FlagState is one flag and how its users are spread.
type FlagState struct {
	flag.Flag
	Experiment bool
	Shares     []float64 // of the users, by variant
	StaleAfter time.Duration
}

// FlagAnswer is one flag's value for one user.
type FlagAnswer struct {
	Name, Owner string
	flag.Answer
}

// FlagList is the answer of GET /v1/flags.
type FlagList struct {
	Flags []FlagView `json:"flags"`
}

// FlagView is one flag. Shares are of users, by what the weight or the arms give now.
type FlagView struct {
	Name       string        `json:"name"`
	Rollout    string        `json:"rollout,omitempty"`
	Experiment string        `json:"experiment,omitempty"`
	Header     string        `json:"header,omitempty"`
	Variants   []FlagVariant `json:"variants"`
	Stale      bool          `json:"stale"`      // at 100 % or 0 % for longer than stale_after
	SettledAt  *time.Time    `json:"settled_at"` // since when everybody has the same value; null: not everybody, or not known
	StaleAfter float64       `json:"stale_after_seconds"`
}

// FlagVariant is one value and its share of the users.
type FlagVariant struct {
	Name  string  `json:"name"`
	Value any     `json:"value"`
	Share float64 `json:"share"`
}

func (s *Server) listFlags(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, FlagList{Flags: s.flags(time.Now())})
}

// flags shows every flag, with what the decisions say of its age.
func (s *Server) flags(now time.Time) []FlagView {
	if s.o.Flags == nil {
		return []FlagView{}
	}
	status, out := s.status(), []FlagView{}
	for _, f := range s.o.Flags.Flags() {
		v := FlagView{Name: f.Name, Header: f.Header, StaleAfter: f.StaleAfter.Seconds()}
		whole := false
		for i, value := range f.Values {
			v.Variants = append(v.Variants, FlagVariant{Name: f.Variants[i], Value: value, Share: f.Shares[i]})
			whole = whole || f.Shares[i] == 1
		}
		if f.Experiment {
			v.Experiment = f.Owner
		} else {
			v.Rollout = f.Owner
		}
		if at := settledAt(status, f.Owner); whole && !at.IsZero() {
			v.SettledAt = timeOf(at)
			v.Stale = now.Sub(at) >= f.StaleAfter
		}
		out = append(out, v)
	}
	return out
}

// settledAt is when a rollout or experiment last decided anything.
func settledAt(status *control.Status, owner string) time.Time {
	if ro, ok := status.Rollout(owner); ok && ro.LastDecision != nil {
		return ro.LastDecision.At
	}
	i := slices.IndexFunc(status.Experiments, func(e control.ExperimentStatus) bool { return e.Name == owner })
	if i >= 0 && status.Experiments[i].LastDecision != nil {
		return status.Experiments[i].LastDecision.At
	}
	return time.Time{}
}

// explainFlags are the values of every flag for a request of a user's.
func (s *Server) explainFlags(r *router.Request, key string) []ExplainedFlag {
	out := []ExplainedFlag{}
	if s.o.Flags == nil {
		return out
	}
	for _, a := range s.o.Flags.Evaluate("", r, key) {
		out = append(out, ExplainedFlag{Name: a.Name, Value: a.Value, Reason: a.Owner + ": " + strings.ToLower(string(a.Reason))})
	}
	return out
}

func writeFlags(e *exposition, list []FlagView) {
	if len(list) == 0 {
		return
	}
	e.family("serin_flag_share_ratio", "gauge", "A variant's share of the users.")
	for _, f := range list {
		for _, v := range f.Variants {
			e.sample("serin_flag_share_ratio", v.Share, "flag", f.Name, "variant", v.Name)
		}
	}
	e.family("serin_flag_stale", "gauge", "1 when everybody has had the same value for longer than stale_after.")
	for _, f := range list {
		e.sample("serin_flag_stale", bit(f.Stale), "flag", f.Name)
	}
}
