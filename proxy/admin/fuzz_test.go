package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzAct sends any body to a verb: either the loop gets a plausible operator, or it gets nothing and the caller an error.
func FuzzAct(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"reason":"x","if_version":3}`, `{"full":true}`, `[1]`, `{"a":{"b":[]}}`, "\x00", `{"if_version":1e400}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		o, loop := rooms()
		w := ask(New(o).Handler(), "POST", "/v1/rollouts/checkout/pause", body, "Content-Type", "application/json")
		if w.Code != http.StatusOK {
			if failure(t, w); len(loop.got) != 0 {
				t.Errorf("refused with %d, but the loop was asked", w.Code)
			}
			return
		}
		op := loop.got[0]
		if len(op.Reason) > maxReasonBytes || len(op.Actor) > maxActorBytes || hasControl(op.Reason+op.Actor) || op.Full || op.FromStage != 0 {
			t.Errorf("the loop was asked %+v", op)
		}
	})
}

// FuzzPath asks for any name, since and limit: the answer is always JSON.
func FuzzPath(f *testing.F) {
	f.Add("checkout", "1h", "5")
	f.Add("../x", "-1h", "-5")
	f.Add("%2f", "2026-11-20T14:00:00Z", "1e9")
	f.Fuzz(func(t *testing.T, name, since, limit string) {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/") {
			return // the mux redirects these to a clean path
		}
		o, _ := rooms()
		q := url.Values{"since": {since}, "limit": {limit}}
		w := ask(New(o).Handler(), "GET", "/v1/rollouts/"+url.PathEscape(name)+"/decisions?"+q.Encode(), "")
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if _, err := parseSince(since, time.Unix(0, 0)); err != nil && w.Code == http.StatusOK {
			t.Errorf("since %q was taken", since)
		}
	})
}
