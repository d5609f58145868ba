package notify

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"serin/gate"
)

// at is when everything in the golden files happened.
var at = time.Date(2026, 11, 20, 14, 5, 9, 0, time.UTC)

// samples are one notice of each kind that people meet.
func samples() map[string]*Notice {
	rollback, needs, expires := .02, 1200.0, at.Add(2*time.Hour)
	errorGate := gate.Finding{
		Metric: "error_rate", Scale: "points", Rule: "hold: stable + 0.5pt, rollback: stable + 2pt", Verdict: gate.Hold, Reason: gate.WorseThanStable,
		Stable: .0045, Canary: .0655, Difference: .061, HoldLimit: .005, RollbackLimit: &rollback, PassLimit: .005, PassNeeds: 20, FailOdds: 36, FailNeeds: &needs,
		Samples: gate.Samples{Stable: 3305, StableBad: 15, Canary: 168, CanaryBad: 11}, Confirmed: true,
	}
	latency := gate.Finding{
		Metric: "latency_p99", Scale: "ratio", Rule: "hold: stable * 1.25", Verdict: gate.Pass, Stable: 235, Canary: 239, Difference: 1.02, HoldLimit: 1.25,
		Samples: gate.Samples{Stable: 3290, Canary: 157},
	}
	base := Notice{
		ID: "checkout-1-4", Event: EventHold, State: Open, Alert: "checkout-1-4", Severity: Warning, At: at, Rollout: "checkout", Revision: "2026-11-20.3",
		Attempt: 1, Version: 5, Phase: "holding", Action: "hold", Reason: string(gate.WorseThanStable), Actor: gate.ActorGate,
		Sentence: "On hold at 5 %: the canary's error rate is 6.55 % against 0.45 % of stable (hold limit + 0.5 points), which chance does not explain.",
		Next:     "Roll back at about 15:05, unless the finding clears or a person decides.",
		Stage:    Stage{Index: 1, Count: 4, Label: "5 %"}, From: .05, To: .05,
		Arms:  Arms{Stable: Arm{Requests: 3305, Errors: 15, P99MS: 235}, Canary: Arm{Requests: 168, Errors: 11, P99MS: 239}},
		Gates: []gate.Finding{errorGate, latency}, Exposure: Exposure{Users: 80, Requests: 168, Failed: 11, UsersFailed: 10},
		Until: &expires, Then: "roll back", Commands: []string{"serin why checkout", "serin rollback checkout --if-version 5", "serin ack checkout"},
		Links: []Link{
			{Verb: "rollback", Label: "Roll back", URL: "https://serin.example/links/abc", Expires: &expires},
			{Label: "Open serin", URL: "https://serin.example/"},
		},
	}
	hold, back, approval, complete, resolved := base, base, base, base, base
	back.ID, back.Alert, back.Event, back.Severity, back.Phase, back.Action = "checkout-1-5", "checkout-1-5", EventRollback, Critical, "rolled_back", "rollback"
	back.To, back.Until, back.Then, back.Next = 0, nil, "", "A new revision, or: serin retry checkout."
	back.Sentence = "Rolled back from 5 % to 0 %: the canary's error rate is 6.55 % against 0.45 % of stable (rollback limit + 2 points)."
	back.Commands, back.Links = []string{"serin why checkout", "serin retry checkout"}, back.Links[1:]
	failed := errorGate
	failed.Verdict = gate.Fail
	back.Gates = []gate.Finding{failed, latency}
	approval.ID, approval.Alert, approval.Event, approval.Phase, approval.Action = "checkout-1-6", "checkout-1-6", EventApproval, "awaiting_approval", "await"
	approval.Reason, approval.Owner, approval.Awaits, approval.Then = string(gate.AwaitingApprovalCode), "product", "25 %", "hold"
	approval.Sentence = "Waiting for product to approve 25 %: 5 % is over and nothing speaks against it."
	approval.Next, approval.Gates = "25 % begins with: serin approve checkout; without an answer by about 16:05: hold.", []gate.Finding{latency}
	approval.Links = append([]Link{{Verb: "approve", Label: "Approve", URL: "https://serin.example/links/def", Expires: &expires}}, base.Links...)
	approval.Commands = []string{"serin approve checkout --if-version 5", "serin rollback checkout --if-version 5"}
	complete.ID, complete.Event, complete.State, complete.Alert, complete.Severity = "checkout-1-9", EventComplete, Done, "", Info
	complete.Phase, complete.Action, complete.Reason, complete.From, complete.To = "completed", "complete", "pass", .99, 1
	complete.Sentence, complete.Next, complete.Until = "Completed: everybody is on revision 2026-11-20.3.", "The old pool stays warm until about 15:05.", nil
	complete.Gates, complete.Commands, complete.Links = []gate.Finding{latency}, []string{"serin rollback checkout"}, base.Links[1:]
	complete.Override, complete.Actor, complete.Note = true, "alice", "fixed by hand <b>&</b>"
	resolved.ID, resolved.State, resolved.Phase = "checkout-1-7", Resolved, "progressing"
	resolved.Sentence, resolved.Next, resolved.Links, resolved.Commands = "Resumed at 5 %: what it was held for is over.", "", nil, nil
	resolved.Until, resolved.Then = nil, ""
	arm := back
	arm.ID, arm.Rollout, arm.Control, arm.Arm, arm.State, arm.Alert = "button-1-2", "button", "blue", "red", Done, ""
	arm.Phase, arm.Action, arm.From, arm.To, arm.Stage = "progressing", "stop_arm", .7, .4, Stage{Index: 1, Count: 1}
	arm.Sentence = "Stopped red; its users are on blue: error_rate is 6.55 % (11 of 168), the control's is 0.45 % (stable + 2pt)."
	arm.Next, arm.Commands, arm.Exposure = "Running, 5 days left; red stopped.", []string{"serin status button"}, Exposure{}
	return map[string]*Notice{"arm": &arm, "hold": &hold, "rollback": &back, "approval": &approval, "complete": &complete, "resolved": &resolved}
}

func fixed(text string) func() (string, error) { return func() (string, error) { return text, nil } }

// receiver is an HTTP server reached through pipes: real HTTP, and time stands still with it in a bubble.
type receiver struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	srv   *http.Server

	mu     sync.Mutex
	answer http.HandlerFunc // guarded by mu
	got    []string         // guarded by mu: bodies
	times  []time.Time      // guarded by mu
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{conns: make(chan net.Conn), done: make(chan struct{}), answer: answer}
	r.srv = &http.Server{Handler: r}
	served := make(chan struct{})
	go func() { defer close(served); _ = r.srv.Serve(r) }()
	t.Cleanup(func() { r.srv.Close(); <-served })
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got, r.times = append(r.got, string(body)), append(r.times, time.Now())
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, req)
	}
}

func (r *receiver) become(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// bodies are those of all tries so far.
func (r *receiver) bodies() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// body is that of try number i; "" where there were fewer.
func (r *receiver) body(i int) string {
	if all := r.bodies(); i < len(all) {
		return all[i]
	}
	return ""
}

// gaps are the times between two tries.
func (r *receiver) gaps() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []time.Duration
	for i := 1; i < len(r.times); i++ {
		list = append(list, r.times[i].Sub(r.times[i-1]))
	}
	return list
}

// Accept, Close and Addr make it a net.Listener.
func (r *receiver) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.done:
		return nil, net.ErrClosed
	}
}
func (r *receiver) Close() error   { r.once.Do(func() { close(r.done) }); return nil }
func (r *receiver) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// transport reaches receivers by host name; an unknown host refuses.
func transport(hosts map[string]*receiver) http.RoundTripper {
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		r := hosts[host]
		if r == nil {
			return nil, errors.New("connection refused")
		}
		ours, theirs := net.Pipe()
		select {
		case r.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

// start runs a queue until the test's end, or until the returned function is called.
func start(t *testing.T, q *Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// spec is a webhook sink on a host that wants everything.
func spec(name string) Spec {
	return Spec{Name: name, Kind: "webhook", URL: fixed("http://" + name + "/"), Events: Events(), Timeout: 10 * time.Second}
}
