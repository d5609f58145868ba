// Command stand serves the real page with the API played by a test, for the states a live rollout reaches seldom: it takes
// the data from the test that drives the browser, and everything else (page, assets, headers, guards) from proxy/admin.
//
//	PUT /stand/answers {"/v1/upstreams": {...}, "POST /v1/...": {"status": 412, "body": {...}}}   what the API says
//	PUT /stand/events  [{"event": "snapshot", "data": {...}}]                                     told to streams now, and to new ones
//	PUT /stand/silent  true                                                                       streams stay open and say nothing
//	GET /stand/asked                                                                              the bodies of the acts so far
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"serin/proxy/admin"
)

type stand struct {
	page http.Handler

	mu      sync.Mutex
	answers map[string]json.RawMessage // guarded by mu
	events  []sent                     // guarded by mu
	changed chan struct{}              // guarded by mu; closed when events or silent change
	silent  bool                       // guarded by mu
	asked   []json.RawMessage          // guarded by mu
}

type sent struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	flag.Parse()
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &stand{
		page:    admin.New(admin.Options{Address: ln.Addr().String()}).Handler(),
		answers: map[string]json.RawMessage{}, changed: make(chan struct{}),
	}
	fmt.Println(ln.Addr())
	server := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(os.Stderr, server.Serve(ln))
	os.Exit(1)
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/stand/"):
		s.command(w, r)
	case r.URL.Path == "/v1/events":
		s.stream(w, r)
	case strings.HasPrefix(r.URL.Path, "/v1/"):
		s.answer(w, r)
	default:
		s.page.ServeHTTP(w, r)
	}
}

func (s *stand) command(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch what := strings.TrimPrefix(r.URL.Path, "/stand/"); {
	case err != nil:
	case what == "answers":
		s.answers = map[string]json.RawMessage{}
		err = json.Unmarshal(body, &s.answers)
	case what == "events":
		err = json.Unmarshal(body, &s.events)
	case what == "silent":
		err = json.Unmarshal(body, &s.silent)
	case what == "asked":
		_ = json.NewEncoder(w).Encode(s.asked) // a test that has gone does not listen
		s.asked = []json.RawMessage{}
		return
	default:
		err = fmt.Errorf("no command %s", what)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// answer is what the test said for the path, with its status where it named one.
func (s *stand) answer(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	s.mu.Lock()
	if r.Method != http.MethodGet {
		path = r.Method + " " + path
		body, _ := io.ReadAll(r.Body)
		s.asked = append(s.asked, body)
	}
	raw, ok := s.answers[path]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"no such path","hint":""}`)
		return
	}
	var said struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	}
	if json.Unmarshal(raw, &said) == nil && said.Status > 0 {
		w.WriteHeader(said.Status)
		raw = said.Body
	}
	w.Write(raw)
}

func (s *stand) stream(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refused, ok := s.answers["/v1/events"]
	s.mu.Unlock()
	if ok && r.Header.Get("Authorization") == "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		w.Write(refused)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	beat := time.NewTicker(2 * time.Second)
	defer beat.Stop()
	for told := ""; ; {
		s.mu.Lock()
		events, silent, changed := s.events, s.silent, s.changed
		s.mu.Unlock()
		if now := fmt.Sprint(events); now != told && !silent {
			told = now
			for i, e := range events {
				fmt.Fprintf(w, "id: stand-%d\nevent: %s\ndata: %s\n\n", i, e.Event, e.Data)
			}
		} else if !silent {
			fmt.Fprint(w, ": alive\n\n")
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-beat.C:
		}
	}
}
