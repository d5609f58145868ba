package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// reset breaks the connection instead of answering.
func reset(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		c.Close()
	}
}

// hang never answers; it ends with the client.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// done is the notice number i, for information.
func done(i int) Notice {
	n := *samples()["complete"]
	n.ID = fmt.Sprintf("checkout-1-%d", i)
	return n
}

// sinkNow is a sink's state.
func sinkNow(t *testing.T, q *Queue, name string) Sink {
	t.Helper()
	for _, s := range q.Sinks() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no sink %s", name)
	return Sink{}
}

func TestQueue_ReceiverFailsThenAnswers_IsToldOnceWithGrowingWaits(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{"fails": status(500), "resets": reset, "hangs": hang} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t, bad)
				q := New(Options{Transport: transport(map[string]*receiver{"ops": r}), Random: func() float64 { return 1 }})
				q.Set([]Spec{spec("ops")})
				start(t, q)
				q.Tell(done(1), []string{"ops"})
				time.Sleep(50 * time.Second)
				if n := r.count(); n < 3 || n > 6 {
					t.Errorf("tried %d times in 50 s", n)
				}
				gaps := r.gaps()
				for i := 1; i < len(gaps); i++ {
					if gaps[i] <= gaps[i-1] {
						t.Errorf("waits do not grow: %v", gaps)
					}
				}
				r.become(nil)
				time.Sleep(time.Minute)
				if s := sinkNow(t, q, "ops"); s.Counts.Sent != 1 || s.Waiting != 0 || s.LastError != "" || s.Counts.Failed == 0 {
					t.Errorf("got %+v", s)
				}
				told := r.count()
				time.Sleep(time.Hour)
				if r.count() != told {
					t.Error("told again")
				}
			})
		})
	}
}

func TestQueue_DeadReceiver_IsLeftAloneAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, fine := newReceiver(t, status(503)), newReceiver(t, nil)
		q := New(Options{Transport: transport(map[string]*receiver{"dead": dead, "fine": fine}), Random: func() float64 { return 1 }})
		q.Set([]Spec{spec("dead"), spec("fine")})
		start(t, q)
		for i := range 100 {
			q.Tell(done(i), []string{"dead", "fine"})
		}
		time.Sleep(time.Minute)
		if s := sinkNow(t, q, "fine"); s.Counts.Sent != 100 || s.Waiting != 0 {
			t.Errorf("the other sink: %+v", s)
		}
		s := sinkNow(t, q, "dead")
		if !s.Resting || s.Waiting != 100 {
			t.Errorf("the dead one: %+v", s)
		}
		tried := dead.count()
		time.Sleep(time.Hour)
		if more := dead.count() - tried; more > 14 { // one try each five minutes
			t.Errorf("a resting sink was tried %d times in an hour", more)
		}
		dead.become(nil)
		time.Sleep(6 * time.Minute)
		if s := sinkNow(t, q, "dead"); s.Counts.Sent != 100 || s.Resting {
			t.Errorf("back again: %+v", s)
		}
	})
}

func TestQueue_Tell_NeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, hang)
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r}), Path: filepath.Join(t.TempDir(), "gone", "outbox.json")}) // its directory is not there
		q.Set([]Spec{spec("ops")})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		synctest.Wait()
		before := time.Now()
		for i := range 1000 {
			q.Tell(done(i), []string{"ops"})
		}
		if took := time.Since(before); took != 0 {
			t.Errorf("telling took %v of the clock", took)
		}
		s := sinkNow(t, q, "ops")
		if s.Waiting != maxItems || s.Counts.Dropped != 1000-maxItems {
			t.Errorf("got %+v", s)
		}
		cancel()
		if err := <-ended; err == nil {
			t.Error("an outbox that cannot be written is no error at the end")
		}
	})
}

func TestQueue_FullList_KeepsWhatIsUrgent(t *testing.T) {
	q := New(Options{})
	q.Set([]Spec{spec("ops")})
	q.Tell(*samples()["rollback"], []string{"ops"})
	for i := range maxItems + 10 {
		q.Tell(done(i), []string{"ops"})
	}
	if n := q.sinks["ops"].items[0].Notice; n.Event != EventRollback {
		t.Errorf("the oldest is a %s", n.Event)
	}
}

func TestQueue_Refusal_IsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no_service\x1b[31m", 404) })
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r})})
		q.Set([]Spec{spec("ops")})
		start(t, q)
		q.Tell(done(1), []string{"ops"})
		time.Sleep(time.Hour)
		s := sinkNow(t, q, "ops")
		if r.count() != 1 || s.Counts.Refused != 1 || s.Waiting != 0 || s.LastError != "the receiver answered 404: no_service [31m" {
			t.Errorf("%d tries, %+v", r.count(), s)
		}
	})
}

func TestQueue_RetryAfter_IsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "90"); w.WriteHeader(429) })
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r})})
		q.Set([]Spec{spec("ops")})
		start(t, q)
		q.Tell(done(1), []string{"ops"})
		time.Sleep(89 * time.Second)
		if r.count() != 1 {
			t.Errorf("tried %d times before it was asked to", r.count())
		}
		time.Sleep(2 * time.Second)
		if r.count() != 2 {
			t.Errorf("tried %d times", r.count())
		}
	})
}

func TestQueue_DayOfFailures_DropsTheNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, status(500))
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r})})
		q.Set([]Spec{spec("ops")})
		start(t, q)
		q.Tell(done(1), []string{"ops"})
		time.Sleep(25 * time.Hour)
		if s := sinkNow(t, q, "ops"); s.Counts.Expired != 1 || s.Waiting != 0 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestQueue_SameNoticeTwice_IsToldOnce(t *testing.T) {
	q := New(Options{})
	q.Set([]Spec{spec("ops")})
	q.Tell(done(1), []string{"ops", "ops"})
	q.Tell(done(1), []string{"ops"})
	if n := sinkNow(t, q, "ops").Waiting; n != 1 {
		t.Errorf("%d wait", n)
	}
}

func TestQueue_EventsThatASinkDoesNotWant_StayOut(t *testing.T) {
	q := New(Options{})
	s := spec("ops")
	s.Events = []string{EventHold}
	q.Set([]Spec{s, spec("other")})
	q.Tell(done(1), []string{"ops"})
	if sinkNow(t, q, "ops").Waiting != 0 || sinkNow(t, q, "other").Waiting != 0 {
		t.Error("told")
	}
}

func TestQueue_Restart_GoesOnWithWhatWasLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.json")
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, status(500))
		hosts := transport(map[string]*receiver{"ops": r})
		q := New(Options{Transport: hosts, Path: path})
		q.Set([]Spec{spec("ops")})
		stop := start(t, q)
		q.Tell(done(1), []string{"ops"})
		q.Tell(*samples()["hold"], []string{"ops"})
		time.Sleep(10 * time.Second)
		stop()
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("outbox: %v, %v", info, err)
		}

		r.become(nil)
		q = New(Options{Transport: hosts, Path: path})
		q.Set([]Spec{spec("ops")})
		if s := sinkNow(t, q, "ops"); s.Waiting != 2 {
			t.Errorf("after the restart: %+v", s)
		}
		if a, ok := q.Open("checkout"); !ok || a.Event != EventHold {
			t.Errorf("what was open is %+v, %v", a, ok)
		}
		q.Tell(done(1), []string{"ops"}) // the journal replayed: no second notice
		start(t, q)
		time.Sleep(10 * time.Second)
		if s := sinkNow(t, q, "ops"); s.Counts.Sent != 2 || s.Waiting != 0 {
			t.Errorf("told: %+v", s)
		}
	})
}

func TestQueue_KilledProcess_LosesNothingThatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.json")
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, status(500))
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r}), Path: path})
		q.Set([]Spec{spec("ops")})
		start(t, q)
		q.Tell(done(1), []string{"ops"})
		time.Sleep(time.Second)
		again := New(Options{Path: path}) // the first one still runs: as after a kill, it wrote no last word
		again.Set([]Spec{spec("ops")})
		if s := sinkNow(t, again, "ops"); s.Waiting != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestQueue_DamagedOutbox_IsPutAside(t *testing.T) {
	for _, body := range []string{"{", `{"version":9}`, `{"version":1,"alerts":{"a":null}}`, `{"version":1,"sinks":{"a":{"items":[null]}}}`} {
		path := filepath.Join(t.TempDir(), "outbox.json")
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		q := New(Options{Path: path})
		q.Set([]Spec{spec("ops")})
		if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != body {
			t.Errorf("%s: put aside as %q, %v", body, kept, err)
		}
	}
}

func TestQueue_Errors_NeverHoldTheURL(t *testing.T) {
	secret := "http://ops.invalid/services/T000/B000/topsecret"
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
	q := New(Options{Transport: &http.Transport{DialContext: dial}})
	for _, kind := range []string{"webhook", "slack", "teams", "discord"} {
		s := Spec{Name: "ops", Kind: kind, URL: fixed(secret), Timeout: time.Second}
		err := q.send(t.Context(), &s, samples()["hold"])
		if err == nil || strings.Contains(err.Error(), "topsecret") || strings.Contains(err.Error(), "services") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	bad := Spec{Name: "ops", Kind: "slack", URL: fixed("http://%zz/topsecret")}
	if err := q.send(t.Context(), &bad, samples()["hold"]); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("got %v", err)
	}
}

func TestQueue_Redirect_IsNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "http://other/", http.StatusTemporaryRedirect)
		})
		other := newReceiver(t, nil)
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r, "other": other})})
		q.Set([]Spec{spec("ops")})
		start(t, q)
		q.Tell(done(1), []string{"ops"})
		time.Sleep(time.Minute)
		if s := sinkNow(t, q, "ops"); s.Counts.Refused != 1 || other.count() != 0 {
			t.Errorf("got %+v, the other was told %d times", s, other.count())
		}
	})
}

func TestQueue_ReloadRemovesTheSink_ItsNoticesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, status(500))
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r, "new": r})})
		q.Set([]Spec{spec("ops")})
		start(t, q)
		q.Tell(done(1), []string{"ops"})
		time.Sleep(time.Second)
		q.Set([]Spec{spec("new")})
		tried := r.count()
		time.Sleep(time.Hour)
		if r.count() != tried || len(q.Sinks()) != 1 {
			t.Errorf("tried %d times more", r.count()-tried)
		}
		r.become(nil)
		q.Tell(done(2), []string{"new"})
		time.Sleep(time.Second)
		if s := sinkNow(t, q, "new"); s.Counts.Sent != 1 {
			t.Errorf("the new one: %+v", s)
		}
	})
}

func TestQueue_Test_SendsAtOnceAndSaysHowItWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, status(403))
		q := New(Options{Transport: transport(map[string]*receiver{"ops": r})})
		q.Set([]Spec{spec("ops")})
		if err := q.Test(t.Context(), "ops", done(1)); err == nil {
			t.Error("a refusal went well")
		}
		r.become(hang)
		if err := q.Test(t.Context(), "ops", done(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := q.Test(t.Context(), "nobody", done(1)); !errors.Is(err, ErrUnknownSink) {
			t.Errorf("got %v", err)
		}
	})
}
