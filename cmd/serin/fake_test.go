package main

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/proxy/admin"
	"serin/router"
)

// fakeLoop is a control loop that answers what the test says.
type fakeLoop struct {
	mu       sync.Mutex
	rollouts []control.RolloutStatus
	refusal  gate.Refusal
	got      []gate.Operator
	list     []journal.Entry
}

func (f *fakeLoop) Status() *control.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &control.Status{Rollouts: append([]control.RolloutStatus(nil), f.rollouts...)}
}

func (f *fakeLoop) Operate(_ context.Context, rollout string, op gate.Operator) (gate.Decision, journal.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rollouts {
		if r.Name == rollout {
			f.got = append(f.got, op)
			e := journal.Entry{ID: "x-1-1", Sentence: "Done to " + rollout + " by " + op.Actor + "."}
			return gate.Decision{Refusal: f.refusal}, e, nil
		}
	}
	return gate.Decision{}, journal.Entry{}, control.ErrUnknownRollout
}

func (f *fakeLoop) Decisions(string, time.Time, int) ([]journal.Entry, error) { return f.list, nil }

type fakeRouter struct{}

func (fakeRouter) Explain(ask admin.Ask) admin.Explain {
	return admin.ExplainKey(ask, []*router.Split{{Rollout: "checkout", Salt: router.Salt("checkout"), Weight: 500}})
}

// daemonOf serves a loop on a socket of the test's own and returns its address.
func daemonOf(t *testing.T, loop *fakeLoop) string {
	t.Helper()
	return serve(t, admin.Options{Loop: loop})
}

// guardedOf is daemonOf for who has the token.
func guardedOf(t *testing.T, loop *fakeLoop, token string) string {
	t.Helper()
	plan, problems := config.Parse("serin.toml", []byte(ladder+"\n[token.reader]\nsecret = { env = \"T\" }\nmay = [\"read\"]\n"),
		config.Options{Getenv: func(string) string { return token }})
	if plan == nil {
		t.Fatal(problems)
	}
	return serve(t, admin.Options{Loop: loop, Tokens: func() []config.Token { return plan.Tokens }})
}

// serve starts an admin API and returns its address.
func serve(t *testing.T, o admin.Options) string {
	t.Helper()
	address := "unix:" + filepath.Join(t.TempDir(), "admin.sock")
	ln, err := admin.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	o.Address, o.Router = address, fakeRouter{}
	s := admin.New(o)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return address
}

// serin runs a command line in this process.
func serin(vars map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, talk bytes.Buffer
	e := &env{stdout: &out, stderr: &talk, getenv: func(name string) string { return vars[name] }}
	code = e.run(context.Background(), args)
	return code, out.String(), talk.String()
}

// holding is a rollout in the shape of gate.md's section 9.
func holding() control.RolloutStatus {
	observed, left := .0513, 6*time.Minute
	rollback, needs, eta := .02, 600.0, 360.0
	at := time.Date(2026, 11, 20, 13, 45, 0, 0, time.UTC)
	ms := time.Millisecond
	return control.RolloutStatus{
		Name: "checkout", Version: 9, Phase: gate.Progressing, Revision: "2026-11-18.3", Attempt: 1, Weight: .05, ObservedWeight: &observed,
		Stage: control.StageStatus{Index: 2, Count: 4, Weight: 500, Elapsed: 10 * time.Minute, Least: 15 * time.Minute, Remaining: &left},
		Stages: []control.RungStatus{
			{Index: 1, Label: "1 %", State: "passed"}, {Index: 2, Label: "5 %", State: "current"},
			{Index: 3, Label: "25 %", State: "ahead"}, {Index: 4, Label: "100 %", State: "ahead"},
		},
		Verdict: gate.Hold, Reason: gate.NotEnoughEvidence,
		Sentence: "Holding at 5 %: 3,596 canary requests are not yet enough to rule out 2 points more errors.",
		Next:     "Advance to 25 % at about 14:14, once the error gate has its evidence.",
		Gates: []gate.Finding{
			{
				Metric: "error_rate", Scale: "points", Rule: "hold: stable + 0.5pt, rollback: stable + 2pt", Reason: gate.NotEnoughEvidence,
				Stable: .0102, Canary: .0114, Difference: .0012, DifferenceLow: -.0031, DifferenceHigh: .0088,
				HoldLimit: .005, RollbackLimit: &rollback, PassLimit: .02, PassOdds: 14, PassNeeds: 20, FailOdds: .6, FailNeeds: &needs,
				Samples: gate.Samples{Stable: 68000, StableBad: 694, Canary: 3596, CanaryBad: 41}, ExpectedSeconds: &eta,
			},
			{
				Metric: "latency_p95", Scale: "ratio", Verdict: gate.Pass, Stable: 178, Canary: 181, Difference: 1.02, HoldLimit: 1.1,
				PassLimit: 1.4, PassOdds: 31, PassNeeds: 20,
			},
		},
		Stable: control.ArmStatus{Requests: 68000, Errors: 694, Rate: 190, P50: 60 * ms, P95: 178 * ms, P99: 300 * ms},
		Canary: control.ArmStatus{Requests: 3596, Errors: 41, Rate: 10, P50: 61 * ms, P95: 181 * ms, P99: 310 * ms},
		Users:  control.UsersStatus{Active: 2530, DesignEffect: 1.3, MaskedBuckets: 4, WorstBucketShare: .06}, Exposure: control.ExposureStatus{Users: 512, Requests: 4400, Failed: 50, UsersFailed: 38},
		Allowed: []string{"pause", "promote", "rollback"},
		LastDecision: &journal.Entry{ID: "checkout-1-3", At: at, Sentence: "Advanced to 5 %: every gate passed.", Decision: gate.Decision{
			Action: gate.ActAdvance, From: 100, To: 500, Actor: "gate", Verdict: gate.Pass, Reason: "pass",
			Findings: []gate.Finding{{
				Metric: "error_rate", Scale: "points", Verdict: gate.Pass, Stable: .01, Canary: .009, Difference: -.001, DifferenceLow: -.006,
				DifferenceHigh: .012, HoldLimit: .005, PassLimit: .02, PassOdds: 26, PassNeeds: 20,
				Samples: gate.Samples{Stable: 81000, StableBad: 810, Canary: 820, CanaryBad: 7},
			}},
		}},
	}
}

func named(name string, phase gate.Phase, weight float64) control.RolloutStatus {
	return control.RolloutStatus{Name: name, Phase: phase, Weight: weight, Attempt: 1, Revision: "r1", Sentence: "As it is."}
}
