package admin

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestPage_StaysInItsBudget(t *testing.T) {
	const budget = 60_000
	total := 0
	for name, f := range packedPage() {
		total += len(f.packed)
		z, err := gzip.NewReader(bytes.NewReader(f.packed))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, f.body) {
			t.Errorf("%s: unpacked it is not itself: %v", name, err)
		}
	}
	if total > budget {
		t.Errorf("got %d bytes gzip, want at most %d", total, budget)
	}
}

func TestPage_NothingInlineAndNothingFromElsewhere(t *testing.T) {
	o, _ := rooms()
	h := New(o).Handler()
	w := ask(h, "GET", "/", "")
	body := w.Body.String()
	if w.Code != 200 || !strings.Contains(body, `<script type="module" src="/assets/app.js">`) {
		t.Fatalf("got %d %s", w.Code, body)
	}
	for _, bad := range []string{"<style", "style=", "onclick", "http://", "https://"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q, want %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("policy %q is not strict", csp)
	}
}

func TestPage_Assets_AreCompressedAndKnownAgain(t *testing.T) {
	o, _ := rooms()
	h := New(o).Handler()
	for name, kind := range map[string]string{"app.js": "text/javascript", "app.css": "text/css", "bird.svg": "image/svg+xml"} {
		w := ask(h, "GET", "/assets/"+name, "", "Accept-Encoding", "gzip")
		if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: got %d %v", name, w.Code, w.Header())
		}
		if again := ask(h, "GET", "/assets/"+name, "", "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%s asked again: got %d with %d bytes, want 304 with none", name, again.Code, again.Body.Len())
		}
		if plain := ask(h, "GET", "/assets/"+name, ""); plain.Header().Get("Content-Encoding") != "" || plain.Body.Len() <= w.Body.Len() {
			t.Errorf("%s without Accept-Encoding: got %v", name, plain.Header())
		}
		if head := ask(h, "HEAD", "/assets/"+name, ""); head.Code != 200 || head.Body.Len() > 0 {
			t.Errorf("HEAD %s: got %d with %d bytes", name, head.Code, head.Body.Len())
		}
	}
	for _, name := range []string{"index.html", "app.js.map", "..%2fpage.go"} {
		if w := ask(h, "GET", "/assets/"+name, ""); w.Code != 404 {
			t.Errorf("%s: got %d, want 404", name, w.Code)
		}
	}
}
