package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
)

// tokensOf are those of a file's [token.NAME] tables; the secret of NAME is NAME sixteen times.
func tokensOf(t *testing.T, tables string) func() []config.Token {
	t.Helper()
	file := "[upstream.a]\nservers = [\"127.0.0.1:1\"]\n[upstream.b]\nservers = [\"127.0.0.1:2\"]\n[rollout.r]\nstable = \"a\"\ncanary = \"b\"\n" + tables
	plan, problems := config.Parse("serin.toml", []byte(file), config.Options{Getenv: func(name string) string { return strings.Repeat(strings.ToLower(name), 16) }})
	if plan == nil {
		t.Fatal(problems)
	}
	return func() []config.Token { return plan.Tokens }
}

func secretOf(name string) []string {
	return []string{"Authorization", "Bearer " + strings.Repeat(name, 16)}
}

const people = `
[token.agent]
secret = { env = "AGENT" }
may = ["read", "pause", "advance<=25%"]
owns = ["product"]
[token.root]
secret = { env = "ROOT" }
may = ["admin"]
[token.watcher]
secret = { env = "WATCHER" }
may = ["read"]
`

func TestToken_EveryCall_NeedsItsRight(t *testing.T) {
	tests := []struct {
		method, path string
		// by whom it is answered other than 401 and 403
		nobody, watcher, agent, root bool
	}{
		{"GET", "/healthz/live", true, true, true, true},
		{"GET", "/healthz/ready", true, true, true, true},
		{"GET", "/", true, true, true, true},
		{"GET", "/links/x.y", true, true, true, true},
		{"GET", "/v1/rollouts", false, true, true, true},
		{"GET", "/v1/rollouts/checkout", false, true, true, true},
		{"GET", "/v1/rollouts/checkout/decisions", false, true, true, true},
		{"GET", "/v1/config", false, true, true, true},
		{"GET", "/v1/notify", false, true, true, true},
		{"GET", "/metrics", false, true, true, true},
		{"GET", "/plain", false, true, true, true},
		{"GET", "/nowhere", false, true, true, true},
		{"HEAD", "/v1/rollouts", false, true, true, true},
		{"POST", "/v1/rollouts/checkout/pause", false, false, true, true},
		{"POST", "/v1/rollouts/checkout/promote", false, false, true, true},
		{"POST", "/v1/rollouts/checkout/approve", false, false, true, true},
		{"POST", "/v1/rollouts/checkout/rollback", false, false, false, true},
		{"POST", "/v1/rollouts/checkout/ack", false, false, false, true},
		{"POST", "/v1/rollouts/checkout/drill", false, false, false, true},
		{"POST", "/v1/rollback", false, false, false, true},
		{"POST", "/v1/pause", false, false, true, true},
		{"POST", "/v1/reload", false, false, false, true},
		{"POST", "/v1/signals", false, false, false, true},
		{"POST", "/v1/notify/ops/test", false, false, false, true},
		{"POST", "/v1/whatever/comes", false, false, false, true},
		{"DELETE", "/v1/rollouts/checkout", false, false, false, true},
		{"PUT", "/v1/rollouts", false, false, false, true},
		{"POST", "/v1/rollouts/checkout/pause/", false, false, false, true},
		{"POST", "//v1/rollouts/checkout/pause", false, false, false, true},
	}
	o, _ := rooms()
	o.Tokens = tokensOf(t, people)
	h := New(o).Handler()
	for _, tt := range tests {
		for who, want := range map[string]bool{"": tt.nobody, "watcher": tt.watcher, "agent": tt.agent, "root": tt.root} {
			var headers []string
			if who != "" {
				headers = secretOf(who)
			}
			w := ask(h, tt.method, tt.path, "", headers...)
			refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden
			if refused == want {
				t.Errorf("%s %s by %q: got %d %s", tt.method, tt.path, who, w.Code, w.Body)
			}
			if who == "" && refused && (w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "") {
				t.Errorf("%s %s: got %d without a challenge", tt.method, tt.path, w.Code)
			}
		}
	}
}

func TestToken_Wrong_IsRefusedAndSlow(t *testing.T) {
	o, _ := rooms()
	o.Tokens = tokensOf(t, people)
	h := New(o).Handler()
	good := strings.Repeat("root", 16)
	for name, value := range map[string]string{
		"unknown": "Bearer nobody", "empty": "Bearer ", "no scheme": good, "another scheme": "Basic " + good, "one byte more": "Bearer " + good + "x",
		"a prefix": "Bearer " + good[:32], "spaces": "Bearer  " + good,
	} {
		synctest.Test(t, func(t *testing.T) {
			if w := ask(h, "GET", "/v1/rollouts", "", "Authorization", value); w.Code != http.StatusUnauthorized {
				t.Errorf("%s: got %d", name, w.Code)
			}
		})
	}
	if w := ask(h, "GET", "/v1/rollouts", "", "Authorization", "bearer "+good); w.Code != http.StatusOK {
		t.Errorf("the scheme in small letters: %d", w.Code)
	}
}

func TestToken_Actor_IsTheTokenWhateverTheBodySays(t *testing.T) {
	o, loop := rooms()
	o.Tokens = tokensOf(t, people)
	h := New(o).Handler()
	if w := ask(h, "POST", "/v1/rollouts/checkout/pause", `{"actor":"root"}`, secretOf("agent")...); w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	op := loop.got[0]
	if op.Actor != "agent" || op.Rights == nil || op.Rights.Admin || op.Rights.Ceiling != 2500 || !slices.Equal(op.Rights.Owns, []string{"product"}) {
		t.Errorf("the loop was asked by %+v with %+v", op, op.Rights)
	}
	ask(h, "POST", "/v1/rollouts/checkout/pause", `{}`, secretOf("root")...)
	if op := loop.got[1]; op.Actor != "root" || !op.Rights.Admin || op.Rights.Ceiling != 0 {
		t.Errorf("the loop was asked by %+v with %+v", op, op.Rights)
	}
}

func TestToken_None_LeavesTheLoopbackOpen(t *testing.T) {
	o, loop := rooms()
	o.Tokens = func() []config.Token { return nil }
	h := New(o).Handler()
	if w := ask(h, "POST", "/v1/rollouts/checkout/promote", `{"actor":"alice"}`); w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if op := loop.got[0]; op.Actor != "alice" || op.Rights != nil {
		t.Errorf("got %+v", op)
	}
}

func TestToken_Refusals_SayWhatWouldHelp(t *testing.T) {
	for refusal, want := range map[gate.Refusal]struct {
		status int
		text   string
	}{
		gate.RefusedCeiling: {403, "promote would take checkout above the ceiling of 25 %"},
		gate.RefusedReason:  {400, "promote is an override here and needs a reason"},
		gate.RefusedRole:    {403, "checkout is not yours to promote now"},
	} {
		o, loop := rooms()
		o.Tokens = tokensOf(t, people)
		loop.refusal = refusal
		w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/promote", "{}", secretOf("agent")...)
		if f := failure(t, w); w.Code != want.status || f.Error != want.text || f.Hint == "" {
			t.Errorf("%s: got %d %+v", refusal, w.Code, f)
		}
	}
}

func TestStatus_AskedByAToken_SaysWhatThisOneMayDo(t *testing.T) {
	o, loop := rooms()
	o.Tokens = tokensOf(t, people)
	policy := &gate.Policy{
		Rollout: "checkout", Revision: "r", Holdback: 100, Stages: []gate.Stage{
			{Label: "25 %", Weight: 2500}, {Label: "50 %", Weight: 5000}, {Label: "100 %", Weight: 10000},
		},
	}
	loop.set(func(s *control.RolloutStatus) {
		s.Policy = policy
		s.State = gate.State{Phase: gate.Progressing, Stage: 1, Weight: 2500, Revision: "r", Attempt: 1}
	})
	h := New(o).Handler()
	for who, want := range map[string][]string{
		"watcher": {},
		"agent":   {"pause"}, // promote would lead to 50 %
		"root":    {"pause", "promote", "rollback"},
	} {
		w := ask(h, "GET", "/v1/rollouts/checkout", "", secretOf(who)...)
		var ro Rollout
		if err := json.Unmarshal(w.Body.Bytes(), &ro); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ro.Allowed, want) || ro.You != who {
			t.Errorf("%s: you %q, allowed %v, want %v", who, ro.You, ro.Allowed, want)
		}
	}
}

// Who may not read any more is not told any more.
func TestToken_ThatReadsNoMore_EndsItsOpenStreams(t *testing.T) {
	all := tokensOf(t, people)()
	for name, later := range map[string][]config.Token{
		"revoked":      all[:2], // agent and root
		"without read": tokensOf(t, strings.Replace(people, `may = ["read"]`, `may = ["signals"]`, 1))(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, _ := rooms()
				var tokens atomic.Pointer[[]config.Token]
				tokens.Store(&all)
				o.Tokens = func() []config.Token { return *tokens.Load() }
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r := httptest.NewRequest("GET", "/v1/events", nil).WithContext(ctx)
				r.Host = testAddress
				r.Header.Set("Authorization", secretOf("watcher")[1])
				w := httptest.NewRecorder()
				ended := make(chan struct{})
				go func() { defer close(ended); New(o).Handler().ServeHTTP(w, r) }()
				time.Sleep(3 * time.Second)
				select {
				case <-ended:
					t.Fatalf("the stream ended before: %d %s", w.Code, w.Body)
				default:
				}
				tokens.Store(&later)
				time.Sleep(2 * time.Second)
				select {
				case <-ended:
				default:
					t.Fatal("the stream goes on")
				}
				if !strings.Contains(w.Body.String(), `"you":"watcher"`) {
					t.Errorf("the stream said %s", w.Body)
				}
			})
		})
	}
}
