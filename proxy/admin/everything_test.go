package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
)

// freezer remembers who asked.
type freezer struct {
	asked []string
	open  bool
}

func (f *freezer) Freeze(_ context.Context, actor, reason string) ([]journal.Entry, error) {
	f.asked, f.open = append(f.asked, "pause "+actor+" "+reason), true
	return []journal.Entry{{ID: "shop-1-3", Rollout: "shop", At: time.Unix(0, 0), Decision: gate.Decision{Action: gate.ActPause, Actor: actor}}}, nil
}

func (f *freezer) Thaw(_ context.Context, actor, reason string) ([]journal.Entry, error) {
	if !f.open {
		return nil, control.ErrNotFrozen
	}
	f.asked, f.open = append(f.asked, "resume "+actor+" "+reason), false
	return nil, nil
}

func TestEverything_PauseAndResume_AnswerWithWhatTheyCaused(t *testing.T) {
	t.Parallel()
	f := new(freezer)
	s := New(Options{Address: "127.0.0.1:9180", Loop: &fakeLoop{}, Freezer: f})
	do := func(path, body string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:9180"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if code, body := do("/v1/resume", `{}`); code != http.StatusConflict || !strings.Contains(body, "not everything is paused") {
		t.Errorf("resume before: %d %s", code, body)
	}
	code, body := do("/v1/pause", `{"actor":"ops","reason":"the sale"}`)
	var got Everything
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK || len(got.Decisions) != 1 || got.Decisions[0].Action != "pause" {
		t.Errorf("pause: %d %s, %v", code, body, err)
	}
	if code, _ := do("/v1/resume", `{"actor":"ops"}`); code != http.StatusOK || len(f.asked) != 2 || f.asked[0] != "pause ops the sale" {
		t.Errorf("resume: %d, asked %q", code, f.asked)
	}
	if code, body := do("/v1/pause", `{"if_version":3}`); code != http.StatusBadRequest || !strings.Contains(body, "each has a version of its own") {
		t.Errorf("if_version: %d %s", code, body)
	}
	if code, body := do("/v1/pause", `{"actor":"gate"}`); code != http.StatusBadRequest {
		t.Errorf("a forged actor: %d %s", code, body)
	}
}
