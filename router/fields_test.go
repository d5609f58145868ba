package router

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

const head = "Host: shop.example.com\r\n" +
	"User-Agent: curl/8\r\n" +
	"x-user-ID:  alice \t\r\n" +
	"X-User-Id: mallory\r\n" +
	"X-User-Identity: eve\r\n" +
	"Empty:\r\n" +
	"Cookie: a=1; xuid=no; uid2=no; uid=bob; quoted=\"q\"\r\n" +
	"cookie: uid=late;  spaced  = v w ;flag; last=z\r\n"

func TestField_AnySpelling_FindsTheFirstLine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"X-User-Id", "x-user-id", "X-USER-ID", "X-uSeR-iD"} {
		if got, ok := Field([]byte(head), name); !ok || string(got) != "alice" {
			t.Errorf("Field(%s) = %q, %v, want alice", name, got, ok)
		}
	}
}

func TestField_Lines_AreReadAsWritten(t *testing.T) {
	t.Parallel()
	f := func(head, name, want string, present bool) {
		t.Helper()
		got, ok := Field([]byte(head), name)
		if string(got) != want || ok != present {
			t.Errorf("Field(%q, %s) = %q, %v, want %q, %v", head, name, got, ok, want, present)
		}
	}
	f(head, "empty", "", true)
	f(head, "X-User", "", false)
	f(head, "er-Agent", "", false)
	f(head, "", "", false)
	f("", "A", "", false)
	f("A:b:c\r\n", "a", "b:c", true)
	f("A: \xff\r\n", "A", "\xff", true)
	f("A: unended", "A", "unended", true)
	f("@b: no\r\n`b: yes\r\n", "`b", "yes", true) // differ in the bit that letters' case is in
	f("A-B: no\r\nA\rB: x\r\n", "A\rB", "x", true)
}

func TestCookie_Lines_AreScannedInOrder(t *testing.T) {
	t.Parallel()
	f := func(head, name, want string, present bool) {
		t.Helper()
		got, ok := Cookie([]byte(head), name)
		if string(got) != want || ok != present {
			t.Errorf("Cookie(%q, %s) = %q, %v, want %q, %v", head, name, got, ok, want, present)
		}
	}
	f(head, "uid", "bob", true)
	f(head, "a", "1", true)
	f(head, "quoted", `"q"`, true)
	f(head, "spaced", "v w", true)
	f(head, "last", "z", true)
	f(head, "flag", "", false)
	f(head, "UID", "", false)
	f(head, "id", "", false)
	f(head, "ui", "", false)
	f("Cookie: uid=\r\n", "uid", "", true)
	f("Cookie: uid=a=b\r\n", "uid", "a=b", true)
	f("Cookie:uid=1;;; ;b=2\r\n", "b", "2", true)
	f("Cookie: b=uid=1\r\n", "uid", "", false)
	f("Set-Cookie: uid=1\r\nCookie2: uid=2\r\n", "uid", "", false)
}

func TestQuery_TwoSpellings_AreOneUser(t *testing.T) {
	t.Parallel()
	var buf [MaxKey]byte
	f := func(query, name, want string, present bool) {
		t.Helper()
		got, ok := Query(buf[:0], []byte(query), name)
		if string(got) != want || ok != present {
			t.Errorf("Query(%q, %s) = %q, %v, want %q, %v", query, name, got, ok, want, present)
		}
	}
	f("u=alice", "u", "alice", true)
	f("u=%61lic%65", "u", "alice", true)
	f("%75=alice", "u", "alice", true)
	f("a=1&u=x+y&u=z", "u", "x y", true)
	f("a=u&uu=1&u", "u", "", true)
	f("u=%e7%94%A8", "u", "用", true)
	f("u=100%&v=%4", "u", "100%", true)
	f("u=100%&v=%4", "v", "%4", true)
	f("u=%zz", "u", "%zz", true)
	f("u=a;b", "u", "a;b", true)
	f("U=1", "u", "", false)
	f("", "u", "", false)
	f("&&=", "u", "", false)
	f("long%20name=1", "long name", "1", true)
	f("u="+strings.Repeat("%41", 300), "u", strings.Repeat("A", MaxKey), true)
}

func FuzzField(f *testing.F) {
	f.Add([]byte(head), "x-user-id")
	f.Add([]byte("a:\n\nb"), "b")
	f.Fuzz(func(t *testing.T, head []byte, name string) {
		value, ok := Field(head, name)
		if !ok {
			return
		}
		if len(bytes.TrimSpace(value)) > 0 && (value[0] == ' ' || value[len(value)-1] == '\t') {
			t.Fatalf("value %q keeps white space", value)
		}
		if again, ok := Field(head, strings.ToUpper(name)); isASCII(name) && (!ok || !bytes.Equal(again, value)) {
			t.Fatalf("another spelling of %q gives %q, want %q", name, again, value)
		}
		if !bytes.Contains(head, value) {
			t.Fatalf("value %q is not in the head", value)
		}
	})
}

// FuzzCookie compares with net/http on what both read alike: its first value that is not empty is ours.
func FuzzCookie(f *testing.F) {
	f.Add("a=1; uid=x", "uid=2")
	f.Add("uid", " uid = 3 ;")
	f.Fuzz(func(t *testing.T, first, second string) {
		head := []byte("Cookie: " + first + "\r\nX: y\r\ncookie:" + second + "\r\n")
		got, _ := Cookie(head, "uid")
		if strings.ContainsAny(string(got), ";\n") {
			t.Fatalf("value %q spans pairs or lines", got)
		}
		if len(got) == 0 || !plain(first+second) {
			return // net/http refuses whole cookies for one byte that we pass on
		}
		if strings.Count(first+second, ";") > 2900 {
			return // and reads none at all where there are more than 3,000
		}
		request := http.Request{Header: http.Header{"Cookie": {first, second}}}
		for _, c := range request.CookiesNamed("uid") {
			if value := textproto.TrimString(c.Value); value != "" {
				if value != string(got) {
					t.Fatalf("got %q, net/http finds %q in %q", got, value, head)
				}
				return
			}
		}
		t.Fatalf("got %q, net/http finds no such cookie in %q", got, head)
	})
}

// plain reports whether net/http accepts every byte in a cookie.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7F || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
