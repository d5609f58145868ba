package wire

import (
	"regexp"
	"testing"
)

func TestRequest_AmbiguousPath_IsWhatServersReadDifferently(t *testing.T) {
	t.Parallel()
	f := func(target string, want bool) {
		t.Helper()
		r, err := judged("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")
		if err != nil {
			t.Fatalf("%q: %v", target, err)
		}
		if got := r.AmbiguousPath(); got != want {
			t.Errorf("%q: got %v, want %v", target, got, want)
		}
	}
	for _, plain := range []string{
		"/", "/a", "/a/b", "/a%20b", "/.well-known/x", "/..a", "/a..", "/...", "/a.b/c", "//", "/a//b", "/a;x=..", "/%61", "/a?../%2f",
		"/a%2", "/%zz", "http://a", "http://a/b", "/%25", "/a;/b",
	} {
		f(plain, false)
	}
	for _, odd := range []string{
		"/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/a\\b", "/%00", "/.", "/..", "/./a", "/a/..", "/a/../b", "/%2e", "/%2E%2e/a", "/.%2e/a",
		"/..;/a", "/a/..;x=y/b", "/.;", "/%2e;/x", "http://a/../b", "/a%252fb%2f",
	} {
		f(odd, true)
	}
}

// strictOdd is what an ambiguous path is, by regular expressions: an encoded slash or NUL, any backslash, or a segment
// that is one or two dots in front of its parameters.
var strictOdd = regexp.MustCompile(`(?i)%2f|%00|%5c|\\|(^|/)(\.|%2e){1,2}(;[^/]*)?(/|$)`)

// FuzzAmbiguousPath: the one pass agrees with the expressions.
func FuzzAmbiguousPath(f *testing.F) {
	for _, path := range []string{"/a/../b", "/%2e%2E;x/", "/a%2Fb", "/.../..a/%2", "/;..//.", "/%%2f", "/.%2e%3b/"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, err := judged("GET /" + path + " HTTP/1.1\r\nHost: a\r\n\r\n")
		if err != nil {
			return
		}
		if got, want := r.AmbiguousPath(), strictOdd.MatchString(string(r.Path)); got != want {
			t.Fatalf("%q: got %v, want %v", r.Path, got, want)
		}
	})
}
