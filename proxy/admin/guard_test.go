package admin

import (
	"net"
	"strings"
	"testing"
)

func TestGuard_Hosts_AreAnExactList(t *testing.T) {
	o, _ := rooms()
	o.PublicURL = "https://serin.example"
	h := New(o).Handler()
	tests := []struct {
		host string
		want int
	}{
		{"127.0.0.1:9180", 200},
		{"localhost:9180", 200},
		{"LOCALHOST:9180", 200},
		{"[::1]:9180", 200},
		{"serin.example", 200},
		{"", 403},
		{"localhost", 403},
		{"localhost:80", 403},
		{"127.0.0.1", 403},
		{"127.0.0.2:9180", 403},
		{"evil.test:9180", 403},
		{"evil.test", 403},
		{"localhost.evil.test:9180", 403},
		{"127.0.0.1.nip.io:9180", 403},
		{"serin.example.evil.test", 403},
		{"serin.example:9180", 403},
	}
	for _, tt := range tests {
		for _, path := range []string{"/v1/rollouts", "/metrics", "/", "/healthz/live", "/nowhere"} {
			w := ask(h, "GET", path, "", "Host", tt.host)
			if got := w.Code; got != tt.want && !(path == "/nowhere" && tt.want == 200 && got == 404) {
				t.Errorf("host %q %s: got %d, want %d", tt.host, path, got, tt.want)
			}
		}
	}
}

func TestGuard_UnixSocket_TakesAnyHost(t *testing.T) {
	o, _ := rooms()
	o.Address = "unix:/run/serin/admin.sock"
	if w := ask(New(o).Handler(), "GET", "/v1/rollouts", "", "Host", "anything"); w.Code != 200 {
		t.Errorf("got %d, want 200", w.Code)
	}
}

func TestGuard_ListenersOwnPort_JoinsTheList(t *testing.T) {
	hosts := hostsOf(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40123}, Options{Address: "127.0.0.1:0"})
	if !hosts.has("localhost:40123") || hosts.has("localhost:9180") {
		t.Errorf("got %v", hosts.names)
	}
}

func TestGuard_Writes_ComeFromNoOtherOrigin(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"a script without a browser", nil, 200},
		{"this listener's page", []string{"Origin", "http://127.0.0.1:9180", "Sec-Fetch-Site", "same-origin"}, 200},
		{"typed by a person", []string{"Sec-Fetch-Site", "none"}, 200},
		{"with a charset", []string{"Content-Type", "application/json; charset=utf-8"}, 200},
		{"another origin", []string{"Origin", "http://evil.test"}, 403},
		{"another port", []string{"Origin", "http://127.0.0.1:9181"}, 403},
		{"an origin that is none", []string{"Origin", "null"}, 403},
		{"an extension", []string{"Origin", "chrome-extension://127.0.0.1:9180"}, 403},
		{"a cross-site request", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a same-site request", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"an unknown site", []string{"Sec-Fetch-Site", "whatever"}, 403},
		{"a form", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"a form's plain text", []string{"Content-Type", "text/plain"}, 415},
		{"no type at all", []string{"Content-Type", ""}, 415},
		{"JSON in a multipart", []string{"Content-Type", "multipart/form-data; boundary=application/json"}, 415},
		{"an encoded body", []string{"Content-Encoding", "gzip"}, 415},
	}
	for _, tt := range tests {
		for _, path := range []string{"/v1/rollouts/checkout/rollback", "/v1/reload"} {
			t.Run(tt.name+strings.ReplaceAll(path, "/", " "), func(t *testing.T) {
				o, loop := rooms()
				w := ask(New(o).Handler(), "POST", path, "{}", tt.headers...)
				if w.Code != tt.want {
					t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
				}
				if w.Code != 200 {
					failure(t, w)
					if len(loop.got) != 0 {
						t.Errorf("the loop was asked")
					}
				}
			})
		}
	}
}

func TestGuard_WriteWithoutBody_NeedsNoType(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"curl -X POST", nil, 200},
		{"an empty form", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"a page's fetch without a body", []string{"Origin", "http://evil.test"}, 403},
		{"the same from a sandboxed frame", []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, 403},
	}
	for _, tt := range tests {
		for _, path := range []string{"/v1/rollouts/checkout/rollback", "/v1/reload"} {
			t.Run(tt.name+strings.ReplaceAll(path, "/", " "), func(t *testing.T) {
				o, _ := rooms()
				if w := ask(New(o).Handler(), "POST", path, "", tt.headers...); w.Code != tt.want {
					t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
				}
			})
		}
	}
}

func TestGuard_EveryAnswer_KeepsOutOfOtherPages(t *testing.T) {
	o, _ := rooms()
	h := New(o).Handler()
	for _, path := range []string{"/", "/v1/rollouts", "/metrics", "/nowhere"} {
		head := ask(h, "GET", path, "").Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "",
		} {
			if got := head.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}
