package config

import (
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"serin/gate/notify"
	"serin/router"
)

const long = "0123456789abcdef0123456789abcdef"

// shop is a smallest file with more behind it.
func shop(more string) []byte {
	return []byte("[upstream.v1]\nservers = [\"127.0.0.1:1\"]\n[upstream.v2]\nservers = [\"127.0.0.1:2\"]\n[rollout.shop]\nstable = \"v1\"\ncanary = \"v2\"\n" + more)
}

func TestToken_Parsed_KnowsItsSecretByHashOnly(t *testing.T) {
	t.Parallel()
	env := map[string]string{"A": long, "B": long + "b"}
	p, problems := Parse("serin.toml", shop(`
[token.agent]
secret = { env = "A" }
may = ["read", "pause", "advance<=25%"]
owns = ["product"]
[token.root]
secret = { env = "B" }
may = ["admin"]
`), sealed(nil, env))
	if p == nil {
		t.Fatal(problems)
	}
	agent, root := &p.Tokens[0], &p.Tokens[1]
	if agent.Name != "agent" || agent.Ceiling != 2500 || !slices.Equal(agent.Owns, []string{"product"}) {
		t.Errorf("got %+v", agent)
	}
	for word, want := range map[string]bool{"read": true, "pause": true, "promote": true, "approve": true, "rollback": false, "reload": false, "admin": false} {
		if agent.May(word) != want {
			t.Errorf("agent may %s: %v", word, !want)
		}
		if !root.May(word) {
			t.Errorf("admin may not %s", word)
		}
	}
	if r := agent.Rights(); r.Admin || r.Ceiling != router.Weight(2500) {
		t.Errorf("got %+v", r)
	}
	if !agent.Is(sha256.Sum256([]byte(long))) || agent.Is(sha256.Sum256([]byte(long+"b"))) || agent.Is([32]byte{}) {
		t.Error("the secret is not told from others")
	}
	if text := Effective(p); strings.Contains(text, long) || !strings.Contains(text, `may = ["read", "pause", "advance<=25%"]`) {
		t.Errorf("effective configuration:\n%s", text)
	}
}

func TestToken_FileChanges_CountAtOnceAndGoneIsRevoked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "serin.toml"), filepath.Join(dir, "agent.token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(secret, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(long)
	if err := os.WriteFile(file, shop("[token.agent]\nsecret = { file = \"agent.token\" }\nmay = [\"read\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, problems := Load(file, Options{})
	if p == nil {
		t.Fatal(problems)
	}
	is := func(text string) bool { return p.Tokens[0].Is(sha256.Sum256([]byte(text))) }
	if !is(long) {
		t.Error("the secret is not known")
	}
	write(long + "2")
	if is(long) || !is(long+"2") {
		t.Error("the new secret does not count")
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	if is(long+"2") || is("") {
		t.Error("a token without its file is still known")
	}
	write(long)
	if !is(long) {
		t.Error("the secret that came back does not count")
	}
	write("short")
	if is("short") {
		t.Error("a secret that anyone could guess counts")
	}
}

func TestAdmin_OffTheLoopback_NeedsTLSAndTokens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, more, want string
	}{
		{"neither", "[admin]\naddress = \"0.0.0.0:9180\"\n", "admin.tls and a [token.NAME] are missing"},
		{"no tls", "[admin]\naddress = \":9180\"\n[token.a]\nsecret = { env = \"A\" }\nmay = [\"read\"]\n", "admin.tls is missing"},
		{"no token", "[admin]\naddress = \"192.0.2.1:9180\"\ntls = { cert = \"c\", key = \"k\" }\n", "a [token.NAME] is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, problems := Parse("serin.toml", shop(tt.more), sealed(nil, map[string]string{"A": long})); !strings.Contains(said(nil, problems), tt.want) {
				t.Errorf("got %s", said(nil, problems))
			}
		})
	}
	for _, address := range []string{"127.0.0.1:9180", "localhost:9180", "[::1]:9180", "unix:/run/s"} {
		if p, problems := Parse("serin.toml", shop("[admin]\naddress = \""+address+"\"\n"), sealed(nil, nil)); p == nil {
			t.Errorf("%s: %v", address, problems)
		}
	}
}

func TestSinks_SecretsAreReadAtEverySend(t *testing.T) {
	t.Parallel()
	env := map[string]string{"URL": "https://hooks.example/1"}
	p, problems := Parse("serin.toml", shop("notify = [\"chat\"]\n[notify.chat]\nkind = \"slack\"\nurl = { env = \"URL\" }\n"), sealed(nil, env))
	if p == nil {
		t.Fatal(problems)
	}
	s := p.Sinks[0]
	if !slices.Equal(s.Events, []string{"hold", "approval", "rollback", "complete"}) || !slices.Equal(p.Rollouts[0].Policy.Notify, []string{"chat"}) {
		t.Errorf("got %+v", s)
	}
	env["URL"] = "https://hooks.example/2"
	if url, err := s.URL(); err != nil || url != "https://hooks.example/2" {
		t.Errorf("got %q, %v", url, err)
	}
}

func TestNotify_TheTable_KnowsWhatTheRoomKnows(t *testing.T) {
	t.Parallel()
	for _, f := range fieldsOf(reflect.TypeFor[NotifyTable]()) {
		switch f.key {
		case "kind":
			if want := slices.Sorted(maps.Keys(notify.Kinds)); !slices.Equal(slices.Sorted(slices.Values(f.enum)), want) {
				t.Errorf("kinds are %v, the table says %v", want, f.enum)
			}
			for _, kind := range f.enum {
				if !strings.Contains(f.doc, kind) {
					t.Errorf("the table does not say what %s is", kind)
				}
			}
		case "events":
			if !slices.Equal(f.enum, notify.Events()) {
				t.Errorf("events are %v, the table says %v", notify.Events(), f.enum)
			}
		}
	}
}
