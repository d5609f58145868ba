package admin

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
)

func TestHandler_BadRequests_GetClearErrorsAndChangeNothing(t *testing.T) {
	long := strings.Repeat("k", 1<<20)
	tests := []struct {
		name, method, path, body string
		status                   int
		says, hint               string
	}{
		{"unknown rollout, misspelt", "GET", "/v1/rollouts/chekout", "", 404, `no rollout "chekout"`, `did you mean "checkout"?`},
		{"unknown rollout, nothing like it", "GET", "/v1/rollouts/zzzzzzzzz", "", 404, `no rollout "zzzzzzzzz"`, `the rollouts are "checkout"`},
		{"name of a megabyte", "GET", "/v1/rollouts/" + long, "", 404, "no rollout", "checkout"},
		{"name with control bytes", "GET", "/v1/rollouts/a%1b%5b31m%0a", "", 404, `\x1b[31m\n`, ""},
		{"act on an unknown rollout", "POST", "/v1/rollouts/chekout/pause", "{}", 404, `no rollout "chekout"`, `did you mean "checkout"?`},
		{"unknown verb", "POST", "/v1/rollouts/checkout/rolback", "{}", 404, `no verb "rolback"`, `did you mean "rollback"?`},
		{"decisions of an unknown rollout", "GET", "/v1/rollouts/chekout/decisions", "", 404, "no rollout", "checkout"},
		{"series of an unknown rollout", "GET", "/v1/rollouts/x/series", "", 404, "no rollout", "checkout"},
		{"unknown path", "GET", "/v1/rolouts", "", 404, "no such path", "/"},
		{"method of another", "DELETE", "/v1/rollouts", "{}", 405, "DELETE is not allowed", "use GET"},
		{"act by GET", "GET", "/v1/rollouts/checkout/rollback", "", 405, "GET is not allowed", "use POST"},
		{"reload by GET", "GET", "/v1/reload", "", 405, "GET is not allowed", "use POST"},
		{"no JSON", "POST", "/v1/rollouts/checkout/pause", "{reason:1}", 400, "not JSON", ""},
		{"JSON cut short", "POST", "/v1/rollouts/checkout/pause", `{"reason":"x`, 400, "ends early", ""},
		{"an array", "POST", "/v1/rollouts/checkout/pause", `[]`, 400, "not an object", "if_version"},
		{"two values", "POST", "/v1/rollouts/checkout/pause", `{} {}`, 400, "more than one", ""},
		{"unknown field", "POST", "/v1/rollouts/checkout/pause", `{"if_verson":3}`, 400, `unknown field "if_verson"`, `did you mean "if_version"?`},
		{"wrong type", "POST", "/v1/rollouts/checkout/pause", `{"if_version":"3"}`, 400, `field "if_version"`, "a whole number from 0"},
		{"negative version", "POST", "/v1/rollouts/checkout/pause", `{"if_version":-3}`, 400, `field "if_version"`, "a whole number from 0"},
		{"field of another verb", "POST", "/v1/rollouts/checkout/pause", `{"full":true}`, 400, "full does not apply", "promote"},
		{"stage of another verb", "POST", "/v1/rollouts/checkout/pause", `{"from_stage":2}`, 400, "from_stage does not apply", "retry"},
		{"negative stage", "POST", "/v1/rollouts/checkout/retry", `{"from_stage":-2}`, 400, "negative", "from 1"},
		{"long reason", "POST", "/v1/rollouts/checkout/pause", `{"reason":"` + strings.Repeat("x", 1001) + `"}`, 400, "1000 bytes", ""},
		{"reason with control bytes", "POST", "/v1/rollouts/checkout/pause", `{"reason":"a\u001b[2Jb"}`, 400, "control characters", ""},
		{"body over a megabyte", "POST", "/v1/rollouts/checkout/pause", `{"reason":"` + long + `"}`, 413, "1 MiB", ""},
		{"reload with a field", "POST", "/v1/reload", `{"file":"other.toml"}`, 400, `unknown field "file"`, ""},
		{"negative limit", "GET", "/v1/rollouts/checkout/decisions?limit=-1", "", 400, `limit "-1"`, "1 to 1000"},
		{"huge limit", "GET", "/v1/rollouts/checkout/decisions?limit=1e9", "", 400, "limit", "1 to 1000"},
		{"since of nothing", "GET", "/v1/rollouts/checkout/decisions?since=yesterday", "", 400, `since "yesterday"`, "1h"},
		{"explain without a key", "GET", "/v1/explain", "", 400, "a key is needed", "alice"},
		{"explain with a bare semicolon", "GET", "/v1/explain?key=a;b", "", 400, "the query cannot be read", "%3B"},
		{"explain with a bad escape", "GET", "/v1/explain?key=%zz", "", 400, "the query cannot be read", "%25"},
		{"key of a megabyte", "GET", "/v1/explain?key=" + long, "", 400, "16 KiB", "256"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, loop := rooms()
			w := ask(New(o).Handler(), tt.method, tt.path, tt.body)
			f := failure(t, w)
			if w.Code != tt.status || !strings.Contains(f.Error, tt.says) || !strings.Contains(f.Hint, tt.hint) {
				t.Errorf("got %d %q (hint %q), want %d with %q and hint %q", w.Code, f.Error, f.Hint, tt.status, tt.says, tt.hint)
			}
			if len(w.Body.Bytes()) > 2000 {
				t.Errorf("the answer echoes %d bytes", w.Body.Len())
			}
			if len(loop.got) != 0 {
				t.Errorf("the loop was asked: %+v", loop.got)
			}
		})
	}
}

func TestMethods_NotAllowed_AreNamedInAllow(t *testing.T) {
	o, _ := rooms()
	w := ask(New(o).Handler(), "PUT", "/v1/rollouts/checkout/pause", "{}")
	if got := w.Header().Get("Allow"); w.Code != 405 || got != "POST" {
		t.Errorf("got %d Allow %q, want 405 with POST", w.Code, got)
	}
}

func TestAct_EveryVerb_ReachesTheLoopAndAnswersTheDecision(t *testing.T) {
	o, loop := rooms()
	h := New(o).Handler()
	for _, verb := range Verbs() {
		loop.got = nil
		w := ask(h, "POST", "/v1/rollouts/checkout/"+verb, `{"reason":"because","actor":"ann","if_version":17}`)
		var d DecisionView
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 || d.ID != "checkout-1-15" {
			t.Fatalf("%s: got %d %s", verb, w.Code, w.Body)
		}
		op := loop.got[0]
		if op.Verb.String() != verb || op.Actor != "ann" || op.Reason != "because" || op.IfVersion == nil || *op.IfVersion != 17 {
			t.Errorf("%s: the loop got %+v", verb, op)
		}
	}
}

func TestAct_WithoutABody_IsAnActOfTheAPI(t *testing.T) {
	o, loop := rooms()
	w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/rollback", "", "Content-Type", "application/json")
	if w.Code != 200 || loop.got[0].Actor != "api" || loop.got[0].IfVersion != nil {
		t.Errorf("got %d, operator %+v", w.Code, loop.got)
	}
}

func TestAct_Refused_SaysWhichWay(t *testing.T) {
	tests := []struct {
		refusal gate.Refusal
		body    string
		status  int
		says    string
		hint    string
	}{
		{gate.RefusedPhase, `{}`, 409, "retry does not apply: checkout is progressing", "pause, promote, rollback"},
		{gate.RefusedVersion, `{"if_version":16}`, 412, "checkout is at version 17, not 16", "look at the status"},
		{gate.RefusedRole, `{}`, 403, "checkout is not yours to retry now", "another role"},
		{gate.RefusedInput, `{"from_stage":9}`, 400, "from_stage 9 is out of range", "4 stages"},
	}
	for _, tt := range tests {
		o, loop := rooms()
		loop.refusal = tt.refusal
		w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/retry", tt.body)
		if f := failure(t, w); w.Code != tt.status || !strings.Contains(f.Error, tt.says) || !strings.Contains(f.Hint, tt.hint) {
			t.Errorf("%s: got %d %+v, want %d %q %q", tt.refusal, w.Code, f, tt.status, tt.says, tt.hint)
		}
	}
}

func TestAct_LoopErrors_HaveTheirStatus(t *testing.T) {
	for err, status := range map[error]int{
		control.ErrJournalUnavailable: 503, control.ErrOvertaken: 409, control.ErrStopped: 503, errors.New("disk on fire"): 500,
	} {
		o, loop := rooms()
		loop.err = err
		w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/approve", "{}")
		if f := failure(t, w); w.Code != status || f.Error != err.Error() {
			t.Errorf("%v: got %d %+v, want %d", err, w.Code, f, status)
		}
	}
}

func TestAct_LoopHangs_AnswersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, loop := rooms()
		loop.hang = true
		began := time.Now()
		w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/rollback", "{}")
		if f := failure(t, w); w.Code != 503 || !strings.Contains(f.Hint, "may still happen") {
			t.Errorf("got %d %+v", w.Code, f)
		}
		if took := time.Since(began); took != loopTimeout {
			t.Errorf("took %v, want %v", took, loopTimeout)
		}
	})
}

func TestDecisions_SinceAndLimit_ReachTheJournal(t *testing.T) {
	o, loop := rooms()
	h := New(o).Handler()
	w := ask(h, "GET", "/v1/rollouts/checkout/decisions?limit=1&since=2026-11-20T14:00:00Z", "")
	var got Decisions
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Decisions) != 1 || got.Decisions[0].ID != "checkout-1-2" {
		t.Errorf("got %s", w.Body)
	}
	if loop.limit != 1 || !loop.since.Equal(time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)) {
		t.Errorf("the journal was asked for %d since %v", loop.limit, loop.since)
	}
	before := time.Now().Add(-time.Hour)
	ask(h, "GET", "/v1/rollouts/checkout/decisions?since=1h", "")
	if d := loop.since.Sub(before); d < 0 || d > time.Minute || loop.limit != defaultLimit {
		t.Errorf("since=1h asked for %v, limit %d", loop.since, loop.limit)
	}
}

func TestDecisions_RolloutGoneFromTheFile_AreStillRead(t *testing.T) {
	o, loop := rooms()
	loop.rollouts = nil
	if w := ask(New(o).Handler(), "GET", "/v1/rollouts/checkout/decisions", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "checkout-1-2") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestReload_Refused_ListsTheProblems(t *testing.T) {
	o, _ := rooms()
	o.Configuration = fakeConfiguration{err: &InvalidError{Problems: []config.Problem{
		{File: "serin.toml", Line: 12, Key: "rollout.checkout.canary", Text: `no upstream "v3"`, Hint: `did you mean "v2"?`},
	}}}
	if text, want := o.Configuration.(fakeConfiguration).err.Error(), `serin.toml:12: rollout.checkout.canary: no upstream "v3" (did you mean "v2"?)`; !strings.Contains(text, want) {
		t.Errorf("the log would say %q, want %q in it", text, want)
	}
	w := ask(New(o).Handler(), "POST", "/v1/reload", "{}")
	f := failure(t, w)
	if w.Code != 400 || len(f.Problems) != 1 || f.Problems[0].Line != 12 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	o.Configuration = fakeConfiguration{}
	if w := ask(New(o).Handler(), "POST", "/v1/reload", "{}"); w.Code != 200 || !strings.Contains(w.Body.String(), "in_force") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestConfig_FileRefused_IsShown(t *testing.T) {
	o, _ := rooms()
	o.Configuration = fakeConfiguration{refused: true}
	h := New(o).Handler()
	var c Config
	if err := json.Unmarshal(ask(h, "GET", "/v1/config", "").Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if c.LastReload.Successful || len(c.LastReload.Problems) != 1 || c.Config["admin"] == nil || !strings.Contains(c.TOML, "[admin]") {
		t.Errorf("got %+v", c)
	}
	if page := ask(h, "GET", "/plain", "").Body.String(); !strings.Contains(page, "serin.toml:3: rollout.checkout.evry: unknown key") {
		t.Errorf("got %s", page)
	}
}

func TestHealthz_NotReady_Is503AndStillAlive(t *testing.T) {
	o, _ := rooms()
	ok := false
	o.Ready = func() (bool, string) { return ok, "no listener yet" }
	h := New(o).Handler()
	if w := ask(h, "GET", "/healthz/live", ""); w.Code != 200 {
		t.Errorf("live: got %d", w.Code)
	}
	if w := ask(h, "GET", "/healthz/ready", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "no listener yet") {
		t.Errorf("ready: got %d %s", w.Code, w.Body)
	}
	ok = true
	if w := ask(h, "GET", "/healthz/ready", ""); w.Code != 200 {
		t.Errorf("ready: got %d", w.Code)
	}
}

func TestHandler_EmptyRooms_AnswerEmptyLists(t *testing.T) {
	h := New(Options{Address: testAddress}).Handler()
	for path, want := range map[string]string{
		"/v1/rollouts":        `{"rollouts":[]}`,
		"/v1/upstreams":       `{"upstreams":[]}`,
		"/v1/explain?key=bob": `{"key":"bob","rollouts":[],"experiments":[],"flags":[]}`,
	} {
		if w := ask(h, "GET", path, ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: got %d %s, want %s", path, w.Code, w.Body, want)
		}
	}
}

func TestHandler_RoomPanics_Is500AndTheServerLivesOn(t *testing.T) {
	o, _ := rooms()
	o.Ready = func() (bool, string) { panic("BUG: test") }
	h := New(o).Handler()
	if w := ask(h, "GET", "/healthz/ready", ""); w.Code != 500 || failure(t, w).Error != "internal error" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/healthz/live", ""); w.Code != 200 {
		t.Errorf("got %d after the panic", w.Code)
	}
}

func TestPage_HostileNames_AreText(t *testing.T) {
	o, loop := rooms()
	loop.rollouts[0].Name = `<script>alert(1)</script>`
	loop.rollouts[0].Sentence = `"><img src=x onerror=alert(1)>`
	w := ask(New(o).Handler(), "GET", "/plain", "")
	body := w.Body.String()
	if w.Code != 200 || strings.Contains(body, "<script") || strings.Contains(body, "<img") {
		t.Errorf("got %d %s", w.Code, body)
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") {
			t.Errorf("policy %q, want %q and nothing unsafe", csp, want)
		}
	}
}

func TestPage_Paths_AreAsAClientWritesThem(t *testing.T) {
	o, _ := rooms()
	page := ask(New(o).Handler(), "GET", "/plain", "").Body.String()
	if strings.Contains(page, "{$}") || !strings.Contains(page, "<code>GET /</code>") {
		t.Errorf("got %s", page)
	}
}
