package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
)

func always(rollout string) (Subject, bool) {
	return Subject{Rollout: rollout, Revision: "r7", Attempt: 1, Stage: 2, Weight: .25, Phase: "progressing"}, true
}

// ask asks once and returns what a gate would read.
func ask(t *testing.T, a Ask, serve http.HandlerFunc) gate.Outside {
	t.Helper()
	server := httptest.NewServer(serve)
	defer server.Close()
	a.URL, a.Rollout, a.Rule, a.Every, a.Timeout = server.URL, "shop", "rule", time.Hour, 5*time.Second
	p := New(Options{Subject: always})
	p.Follow([]Ask{a})
	s := p.asks[a]
	subject, _ := always("shop")
	p.once(context.Background(), a, s, subject, "")
	return p.Read("shop", time.Now())["rule"]
}

func TestQuery_Answers(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		want       float64
		failure    string
	}{
		{"a vector of one", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"0.031"]}]}}`, 200, .031, ""},
		{"a scalar", `{"status":"success","data":{"resultType":"scalar","result":[1700000000,"2"]}}`, 200, 2, ""},
		{"two series", `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}`, 200, 0, "gives 2 values"},
		{"no series", `{"status":"success","data":{"resultType":"vector","result":[]}}`, 200, 0, "gives 0 values"},
		{"no number", `{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}`, 200, 0, "no number"},
		{"a matrix", `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 200, 0, "gives a matrix"},
		{"a bad query", `{"status":"error","errorType":"bad_data","error":"parse error at char 3"}`, 400, 0, "parse error at char 3"},
		{"not Prometheus", `<html>`, 200, 0, "no JSON"},
		{"down", `oops`, 503, 0, "answers 503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, Ask{Query: `errors{revision="{{revision}}"}`}, func(w http.ResponseWriter, r *http.Request) {
				if q := r.FormValue("query"); r.URL.Path != "/api/v1/query" || q != `errors{revision="r7"}` {
					t.Errorf("asked %s %s", r.URL.Path, q)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			if c.failure != "" {
				if !strings.Contains(got.Failure, c.failure) || got.Heard {
					t.Errorf("got %+v, want a failure with %s", got, c.failure)
				}
				return
			}
			if !got.Heard || got.Values[0] != c.want || !got.Fresh() {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCheck_Answers(t *testing.T) {
	for body, want := range map[string]gate.Verdict{
		`{"verdict":"allow"}`: gate.Pass, `{"verdict":"hold","reason":"a change freeze"}`: gate.Hold, `{"verdict":"fail"}`: gate.Fail,
	} {
		got := ask(t, Ask{Bearer: "s3cret"}, func(w http.ResponseWriter, r *http.Request) {
			var s Subject
			if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.Revision != "r7" || r.Header.Get("Authorization") != "Bearer s3cret" {
				t.Errorf("asked %+v %v", s, err)
			}
			io.WriteString(w, body)
		})
		if !got.Heard || got.Answer != want {
			t.Errorf("%s: got %+v", body, got)
		}
	}
	if got := ask(t, Ask{Value: true}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"value":0.03}`) }); !got.Heard || got.Values[0] != .03 {
		t.Errorf("got %+v", got)
	}
	if got := ask(t, Ask{Value: true}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"verdict":"allow"}`) }); got.Heard {
		t.Errorf("a verdict where a value is asked: got %+v", got)
	}
	for _, body := range []string{`{"verdict":"yes"}`, `{}`, `nonsense`, strings.Repeat("x", mostAnswer+2)} {
		if got := ask(t, Ask{}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }); got.Heard || got.Failure == "" {
			t.Errorf("%.20s: got %+v", body, got)
		}
	}
}

// transport answers without a network, so that time may be virtual.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func scalar(v float64) (*http.Response, error) {
	body := fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[1,"%v"]}}`, v)
	return &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestProber_ASourceThatGoesAway_GrowsOldAndIsHeardAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		asked := 0
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked++
			if down.Load() {
				<-r.Context().Done() // a black hole
				return nil, r.Context().Err()
			}
			return scalar(float64(asked))
		})}
		p := New(Options{Subject: always, Client: client})
		a := Ask{Rollout: "shop", Rule: "rule", Query: "up", URL: "http://prometheus", Every: 10 * time.Second, Timeout: 2 * time.Second}
		p.Follow([]Ask{a})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		time.Sleep(45 * time.Second)
		got := p.Read("shop", time.Now())["rule"]
		if len(got.Values) != gate.OutsideKept || got.Values[2] != 5 || !got.Fresh() {
			t.Errorf("after 45 s: %+v", got)
		}
		down.Store(true)
		time.Sleep(60 * time.Second)
		if got = p.Read("shop", time.Now())["rule"]; got.Fresh() || got.Failure == "" {
			t.Errorf("a minute without an answer: %+v", got)
		}
		down.Store(false)
		time.Sleep(15 * time.Second)
		if got = p.Read("shop", time.Now())["rule"]; !got.Fresh() || got.Failure != "" {
			t.Errorf("back again: %+v", got)
		}
		cancel()
		wg.Wait()
	})
}

func TestProber_RolloutBegins_IsAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wanted atomic.Bool
		var asked atomic.Int32
		client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { asked.Add(1); return scalar(1) })}
		p := New(Options{Client: client, Subject: func(string) (Subject, bool) { return Subject{}, wanted.Load() }})
		p.Follow([]Ask{{Rollout: "shop", Rule: "rule", Query: "up", URL: "http://p", Every: time.Minute, Timeout: time.Second}})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		time.Sleep(10500 * time.Millisecond)
		wanted.Store(true)
		time.Sleep(2 * time.Second)
		if asked.Load() != 1 {
			t.Errorf("asked %d times within 2 s of the beginning, want once", asked.Load())
		}
		time.Sleep(2 * time.Minute)
		if asked.Load() != 3 {
			t.Errorf("asked %d times in the 2 minutes after it, want 3 in all", asked.Load())
		}
		cancel()
		wg.Wait()
	})
}

func TestProber_NotWanted_IsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wanted atomic.Bool
		var asked atomic.Int32
		client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { asked.Add(1); return scalar(1) })}
		p := New(Options{Client: client, Subject: func(string) (Subject, bool) { return Subject{}, wanted.Load() }})
		p.Follow([]Ask{{Rollout: "shop", Rule: "rule", Query: "up", URL: "http://p", Every: time.Second, Timeout: time.Second}})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		time.Sleep(10 * time.Second)
		if asked.Load() != 0 {
			t.Errorf("asked %d times", asked.Load())
		}
		wanted.Store(true)
		time.Sleep(5 * time.Second)
		if asked.Load() < 4 {
			t.Errorf("asked %d times in 5 s", asked.Load())
		}
		p.Follow(nil)
		before := asked.Load()
		time.Sleep(10 * time.Second)
		if asked.Load() > before+1 || p.Read("shop", time.Now()) != nil {
			t.Errorf("asked on after it was removed")
		}
		cancel()
		wg.Wait()
	})
}
