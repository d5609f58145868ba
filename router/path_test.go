package router

import (
	"bytes"
	"testing"
)

func TestNormalizePath_Spellings_BecomeOne(t *testing.T) {
	t.Parallel()
	f := func(path, want string) {
		t.Helper()
		if got := NormalizePath(nil, []byte(path)); string(got) != want {
			t.Errorf("NormalizePath(%q) = %q, want %q", path, got, want)
		}
	}
	f("", "/")
	f("*", "*")
	f("/", "/")
	f("//", "/")
	f("///a//b//", "/a/b/")
	f("/a/./b", "/a/b")
	f("/a/b/..", "/a/")
	f("/a/b/../", "/a/")
	f("/a/b/.", "/a/b/")
	f("/a/../../../etc", "/etc")
	f("/..", "/")
	f("/.well-known/x", "/.well-known/x")
	f("/...", "/...")
	f("/a..b/.c", "/a..b/.c")
	f("/%7Euser/%61", "/~user/a")
	f("/public/%2e%2E/admin", "/admin")
	f("/public/%2e%2e%2fadmin", "/public/..%2Fadmin")
	f("/a%2fb", "/a%2Fb")
	f("/a%5c..%5Cb", "/a%5C..%5Cb")
	f("/public/..;/admin", "/public/..;/admin")
	f("/a%3bx/b;y", "/a%3Bx/b;y")
	f("/%E7%94%a8%20x", "/用 x")
	f("/%00%0d%7f", "/%00%0D%7F")
	f("/100%", "/100%25")
	f("/%zz%%411", "/%25zz%25A1")
	f("/%252e%252e/x", "/%252e%252e/x")
	f("//evil.example/a", "/evil.example/a")
}

func TestNormalizePath_NormalPath_IsReturnedItself(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/a", "/a/b/", "/.well-known/acme", "/..a/b..", "/a;b=c/d@e"} {
		in := []byte(path)
		if got := NormalizePath(make([]byte, 0, 64), in); &got[0] != &in[0] || len(got) != len(in) {
			t.Errorf("NormalizePath(%q) = %q, a copy or another path", path, got)
		}
	}
}

func FuzzNormalizePath(f *testing.F) {
	for _, path := range []string{"/a/../b", "/%2e/%2f//", "/%%411", "*", "", "/a%", "/..;/%5c"} {
		f.Add([]byte(path))
	}
	f.Fuzz(func(t *testing.T, path []byte) {
		dst := make([]byte, 1, 3*len(path)+1)
		once := NormalizePath(dst, path)
		if twice := NormalizePath(nil, once); !bytes.Equal(twice, once) {
			t.Fatalf("%q becomes %q, and that %q", path, once, twice)
		}
		if len(path) > 0 && path[0] != '/' {
			return
		}
		if once[0] != '/' || bytes.Contains(once, []byte("//")) {
			t.Fatalf("%q becomes %q", path, once)
		}
		for _, segment := range bytes.Split(once, []byte("/")) {
			if string(segment) == "." || string(segment) == ".." {
				t.Fatalf("%q becomes %q, with a dot segment", path, once)
			}
		}
		if &once[0] != &dst[0] && &once[0] != &path[0] {
			t.Fatalf("%q was given a new buffer", path)
		}
	})
}
