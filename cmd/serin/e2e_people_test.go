package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An admin address that others reach is served by TLS only, to whoever has a token, and the command line finds its way there.
func TestE2E_AdminForOthers_TakesTLSAndATokenOnly(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	_, port, _ := strings.Cut(s.admin, ":")
	near := s.admin // the same port, as this machine reaches it
	s.admin = "0.0.0.0:" + port
	ca := newAuthority(t, "serin test authority")
	cert, key := ca.issue("localhost")
	put(t, s.dir, "cert.pem", cert)
	put(t, s.dir, "key.pem", key)
	put(t, s.dir, "ca.pem", ca.pem)
	put(t, s.dir, "agent.token", []byte(strings.Repeat("a", 40)+"\n"))
	file := s.file(t, fmt.Sprintf("[listen]\naddress = %q\n"+plainRoute+`
[token.agent]
secret = { file = "agent.token" }
may = ["read"]
`, s.listen, "127.0.0.1:1"))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	withTLS := strings.Replace(string(text), "[admin]\n", "[admin]\ntls = { cert = \"cert.pem\", key = \"key.pem\" }\n", 1)
	if err := os.WriteFile(file, []byte(withTLS), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, s, file)
	caFile, token := filepath.Join(s.dir, "ca.pem"), filepath.Join(s.dir, "agent.token")
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"with both", []string{"notify", "--admin", "https://" + near, "--ca", caFile, "--token-file", token}, 0, ""},
		{"without a token", []string{"notify", "--admin", "https://" + near, "--ca", caFile}, 7, "a token is needed"},
		{"with another's token", []string{"notify", "--admin", "https://" + near, "--ca", caFile, "--token", strings.Repeat("b", 40)}, 7, "not known"},
		{"without the authority", []string{"notify", "--admin", "https://" + near, "--token-file", token}, 6, "certificate"},
		{"in the clear", []string{"notify", "--admin", near}, 1, "400"},
		{"a right it has not", []string{"pause", "x", "--admin", "https://" + near, "--ca", caFile, "--token-file", token}, 7, "may not pause"},
		{"a token in the clear to another machine", []string{"notify", "--admin", "http://192.0.2.7:9180", "--token-file", token}, 2, "in the clear"},
	} {
		out, code := runBinary(t, path, tt.args...)
		if code != tt.code || !strings.Contains(out, tt.says) || strings.Contains(out, strings.Repeat("a", 40)) {
			t.Errorf("%s: exit %d, want %d\n%s", tt.name, code, tt.code, out)
		}
	}
	before := d.log.String()
	// The listener stays where it is until a restart: a file that moves it home and takes the tokens must not open it meanwhile.
	open, _, _ := strings.Cut(withTLS, "[token.agent]")
	open = strings.Replace(open, s.admin, near, 1)
	if err := os.WriteFile(file, []byte(open), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); !strings.Contains(d.log.String()[len(before):], "configuration"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no reload")
		}
	}
	if out, code := runBinary(t, path, "notify", "--admin", "https://"+near, "--ca", caFile); code != 7 {
		t.Errorf("without a token after the reload: exit %d, want 7\n%s\n%s", code, out, d.log.String())
	}
	if log := d.log.String(); !strings.Contains(log, "until a restart") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	if strings.Contains(d.log.String(), strings.Repeat("a", 40)) {
		t.Error("the token is in the log")
	}
	if code := d.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
}
