package admin

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// open are the paths that ask for no token: probes, the page without any data in it, and signed links.
var open = []string{
	"GET /healthz/live", "GET /healthz/ready", "GET /{$}", "GET /assets/{file}", "GET /links/style.css", "GET /links/{link}", "POST /links/{link}",
}

// Every call there is, and every one to come, asks for a token; without effects it takes read, with effects more than that.
func TestSurface_EveryRoute_AsksForAToken(t *testing.T) {
	t.Parallel()
	o, _ := rooms()
	o.Tokens = tokensOf(t, people)
	s := New(o)
	h := s.Handler()
	fill := strings.NewReplacer("{name}", "checkout", "{verb}", "rollback", "{link}", "x.y", "{flag}", "f", "{file}", "app.js", "{$}", "")
	for _, r := range s.routes() {
		for method := range r.methods {
			path := fill.Replace(r.pattern)
			if slices.Contains(open, method+" "+r.pattern) {
				continue
			}
			if w := ask(h, method, path, "{}"); w.Code != http.StatusUnauthorized {
				t.Errorf("%s %s by nobody: got %d, want 401", method, path, w.Code)
			}
			if method == "GET" || strings.HasPrefix(path, "/ofrep/") {
				continue
			}
			if w := ask(h, method, path, "{}", secretOf("watcher")...); w.Code != http.StatusForbidden {
				t.Errorf("%s %s by who may only read: got %d %s, want 403", method, path, w.Code, w.Body)
			}
		}
	}
}

// A path that is written in another way asks for no less.
func TestSurface_DisguisedPaths_AskForAToken(t *testing.T) {
	t.Parallel()
	o, loop := rooms()
	o.Tokens = tokensOf(t, people)
	h := New(o).Handler()
	for _, path := range []string{
		"/links/../v1/rollouts/checkout/rollback", "/links/%2e%2e/v1/rollouts/checkout/rollback", "/links/..%2fv1%2frollouts%2fcheckout%2frollback",
		"/healthz/../v1/reload", "/assets/..%2f..%2fv1/rollouts/checkout/rollback", "/%76%31/rollouts/checkout/rollback", "//v1/rollback",
		"/ofrep/../v1/rollback", "/v1/rollouts/a%2fcheckout/rollback", "/v1/rollouts/checkout/rollback%2f..%2fack",
	} {
		for _, headers := range [][]string{nil, secretOf("watcher")} {
			w := ask(h, "POST", path, "{}", headers...)
			if w.Code == http.StatusOK || len(loop.got) > 0 {
				t.Errorf("%s: got %d %s", path, w.Code, w.Body)
			}
		}
	}
}

// A listener on every address is reached by number, and its own page may act there.
func TestGuard_OwnAddress_IsAnOriginToo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, at, host, origin string
		want                   int
	}{
		{"its own page", "10.0.0.5:9180", "10.0.0.5:9180", "https://10.0.0.5:9180", 200},
		{"at the usual port", "10.0.0.5:443", "10.0.0.5", "https://10.0.0.5", 200},
		{"by IPv6", "[2001:db8::5]:443", "[2001:db8::5]", "https://[2001:db8::5]", 200},
		{"another address of the machine", "10.0.0.5:9180", "10.0.0.5:9180", "https://10.0.0.6:9180", 403},
		{"another port of the machine", "10.0.0.5:9180", "10.0.0.5:9180", "https://10.0.0.5:9181", 403},
		{"another name", "10.0.0.5:9180", "10.0.0.5:9180", "https://evil.test:9180", 403},
		{"rebinding", "10.0.0.5:9180", "evil.test:9180", "https://evil.test:9180", 403},
		{"without its port", "10.0.0.5:9180", "10.0.0.5", "https://10.0.0.5", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, _ := rooms()
			o.Address = "0.0.0.0:9180"
			at, err := net.ResolveTCPAddr("tcp", tt.at)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/v1/rollouts/checkout/pause", nil)
			r.Host = tt.host
			r.Header.Set("Origin", tt.origin)
			w := httptest.NewRecorder()
			New(o).Handler().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, at)))
			if w.Code != tt.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

// A link is a right to act: it is in no log.
func TestLink_PanicBehindIt_IsNotInTheLog(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	o, _ := rooms()
	o.Log, o.Loop = slog.New(slog.NewTextHandler(&b, nil)), nil
	s := New(o)
	h := s.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") }))
	if w := ask(h, "GET", "/links/payload.mac", ""); w.Code != http.StatusInternalServerError {
		t.Errorf("got %d", w.Code)
	}
	if got := b.String(); strings.Contains(got, "payload") || !strings.Contains(got, "/links/") {
		t.Errorf("the log says %s", got)
	}
}
