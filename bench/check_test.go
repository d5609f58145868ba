package main

import (
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeProxy serves with the bench's own upstream behind a split that pick decides.
func fakeProxy(t *testing.T, pick func(r *http.Request) string, change func(http.Header)) string {
	t.Helper()
	targets := map[string]*httputil.ReverseProxy{}
	for _, arm := range []string{"stable", "canary"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() { _ = newAnswers(arm).accept(l) }() // ends with the listener
		targets[arm] = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: l.Addr().String()})
		targets[arm].ModifyResponse = func(r *http.Response) error {
			change(r.Header)
			return nil
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets[pick(r)].ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func byHash(percent uint32) func(r *http.Request) string {
	return func(r *http.Request) string {
		h := fnv.New32a()
		_, _ = io.WriteString(h, r.Header.Get("X-User-ID"))
		if h.Sum32()%100 < percent {
			return "canary"
		}
		return "stable"
	}
}

func TestCheck_ProxiesThatFail_AreToldApart(t *testing.T) {
	keep := func(http.Header) {}
	var requests atomic.Int64
	f := func(name, want string, pick func(r *http.Request) string, change func(http.Header)) {
		t.Helper()
		err := check(t.Context(), fakeProxy(t, pick, change), 100*time.Millisecond)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	f("a right one", "", byHash(10), keep)
	f("a wrong share", "users on the canary", byHash(20), keep)
	f("no stickiness", "changed their arm", func(*http.Request) string {
		if requests.Add(1)%9 == 0 {
			return "canary"
		}
		return "stable"
	}, keep)
	f("a lost body", "POST of", byHash(10), func(h http.Header) {
		if h.Get("X-Received") != "" {
			h.Set("X-Received", "0")
		}
	})
	f("no arm", "no user on the canary", byHash(10), func(h http.Header) { h.Del("X-Arm") })
}

func TestUpstream_RequestsInOneRead_AreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		newAnswers("canary").serve(server)
		close(done)
	}()
	go func() {
		_, _ = io.WriteString(client, "GET /100 HTTP/1.1\r\nHost: a\r\n\r\nPOST /100 HTTP/1.1\r\ncontent-length: 5\r\n\r\nhel")
		_, _ = io.WriteString(client, "loGET /nothing HTTP/1.1\r\n\r\n"+strings.Repeat("x", 64<<10))
	}()
	text, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	<-done
	got := string(text)
	first, rest, _ := strings.Cut(got, string(pattern(100)))
	second, third, _ := strings.Cut(rest, string(pattern(100)))
	for part, want := range map[string]string{first: "X-Arm: canary", second: "X-Received: 5\r\nX-Sum: 3610a686", third: "404 Not Found"} {
		if !strings.Contains(part, want) {
			t.Errorf("no %q in %q", want, part)
		}
	}
}

func TestCheckShare_AnswersOfNoArm_AreRefused(t *testing.T) {
	t.Parallel()
	arms := make([]string, users)
	for i := range arms {
		arms[i] = "stable"
		if i%10 == 0 {
			arms[i] = "canary"
		}
	}
	if err := checkShare(arms); err != nil {
		t.Error(err)
	}
	arms[7] = ""
	if err := checkShare(arms); err == nil {
		t.Error("an answer of no arm passed")
	}
}

func TestConfigurations_OfEveryProxy_NameWhatTheyUse(t *testing.T) {
	t.Parallel()
	stable := make([]string, stableHosts)
	for i := range stable {
		stable[i] = "127.0.0.1:" + strconv.Itoa(9001+i)
	}
	for _, p := range proxies {
		s := setup{dir: t.TempDir(), port: 8123, admin: 8124, stable: stable, canary: "127.0.0.1:9100", threads: 2, routes: 3, rollouts: 2}
		args, err := p.write(s)
		if err != nil {
			t.Fatal(err)
		}
		text := readAll(t, s.dir)
		for _, want := range []string{"8123", "9001", "9002", "9100", "/service-1/", "/service-2/"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s %v: no %q in its configuration", p.name, args, want)
			}
		}
	}
}
