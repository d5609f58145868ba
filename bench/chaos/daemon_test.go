package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"serin/proxy/admin"
)

// site is where a serin listens and keeps its state; the next one gets the same.
type site struct{ dir, listen, admin string }

func newSite(t *testing.T) site {
	t.Helper()
	return site{dir: t.TempDir(), listen: freeAddress(t), admin: freeAddress(t)}
}

// ownIP is a loopback address of its own for each caller: a port that is given up for a while cannot be taken by somebody's
// outgoing connection meanwhile.
func ownIP() string {
	n := int(lastIP.Add(1))
	return fmt.Sprintf("127.%d.%d.%d", 10+os.Getpid()%240, n/250%250, 1+n%250)
}

var lastIP atomic.Int64

// freeAddress is a loopback address nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ownIP()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// config writes serin.toml in one step: listen holds further keys of [listen], body the rest.
func (s site) config(t *testing.T, listen, body string) string {
	t.Helper()
	file := filepath.Join(s.dir, "serin.toml")
	text := fmt.Sprintf("[listen]\naddress = %q\n%s\n[admin]\naddress = %q\n[state]\ndir = %q\n", s.listen, listen, s.admin, filepath.Join(s.dir, "state"))
	if err := os.WriteFile(file+".new", []byte(text+body), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	return file
}

// daemon is a running serin.
type daemon struct {
	t    *testing.T
	site site
	cmd  *exec.Cmd
	log  *record
	done chan struct{} // closed when the process has ended
	api  *admin.Client

	notify *net.UnixConn
}

// record is what a process said, safe for concurrent use.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// start runs serin with the site's file and waits until it says that it is ready. Limits go before it: "ulimit -n 64".
func start(t *testing.T, s site, limits ...string) *daemon {
	t.Helper()
	d := launch(t, s, limits...)
	d.awaitReady()
	return d
}

// launch is start without the wait.
func launch(t *testing.T, s site, limits ...string) *daemon {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() })
	d := &daemon{t: t, site: s, log: &record{}, done: make(chan struct{}), notify: notify}
	script := strings.Join(append(limits, `exec "$0" run -c "$1"`), "; ")
	d.cmd = exec.Command("sh", "-c", script, path, filepath.Join(s.dir, "serin.toml"))
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "GORACE=halt_on_error=0 exitcode=66")
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = d.cmd.Wait(); close(d.done) }()
	t.Cleanup(d.stop)
	if d.api, err = admin.NewClient(s.admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.api.Close)
	return d
}

// awaitReady waits for what systemd would wait for.
func (d *daemon) awaitReady() {
	d.t.Helper()
	buf := make([]byte, 4096)
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); {
		d.notify.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := d.notify.Read(buf)
		if err == nil && strings.Contains(string(buf[:n]), "READY=1") {
			return
		}
		select {
		case <-d.done:
			d.t.Fatalf("serin ended at its start:\n%s", d.log)
		default:
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			d.t.Fatal(err)
		}
	}
	d.t.Fatalf("serin did not become ready:\n%s", d.log)
}

// stop ends what is left of the process and reads its log: no panic, no race.
func (d *daemon) stop() {
	_ = d.cmd.Process.Kill()
	<-d.done
	said := d.log.String()
	for _, bad := range []string{"panic", "DATA RACE", "BUG:"} {
		if strings.Contains(said, bad) {
			d.t.Errorf("the log says %q", bad)
		}
	}
	if d.t.Failed() {
		d.t.Logf("serin said:\n%s", tail(said, 8000))
	}
}

func tail(s string, most int) string {
	if len(s) > most {
		return "..." + s[len(s)-most:]
	}
	return s
}

// signal sends sig.
func (d *daemon) signal(sig syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.t.Fatal(err)
	}
}

// ended waits for the process and returns its exit code.
func (d *daemon) ended(within time.Duration) int {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(within):
		d.t.Fatalf("serin did not end within %v:\n%s", within, d.log)
	}
	return d.cmd.ProcessState.ExitCode()
}

// rollout is the status of the one called shop.
func (d *daemon) rollout() admin.Rollout {
	d.t.Helper()
	ro, err := d.api.Rollout(context.Background(), "shop")
	if err != nil {
		d.t.Fatal(err)
	}
	return ro
}

// until waits for a status.
func (d *daemon) until(what string, is func(admin.Rollout) bool) admin.Rollout {
	d.t.Helper()
	for until := time.Now().Add(30 * time.Second); ; <-time.After(50 * time.Millisecond) {
		ro := d.rollout()
		if is(ro) {
			return ro
		}
		if time.Now().After(until) {
			d.t.Fatalf("still not %s: %s at %v, %d of stable with %d errors: %s",
				what, ro.Phase, ro.Weight, ro.Arms.Stable.Requests, ro.Arms.Stable.Errors, ro.Sentence)
		}
	}
}

// act does what an operator does; it must succeed.
func (d *daemon) act(verb string) admin.DecisionView {
	d.t.Helper()
	decision, err := d.actIf(verb)
	if err != nil {
		d.t.Fatalf("%s: %v", verb, err)
	}
	return decision
}

// actIf does what an operator does, where it applies. A decision that comes between status and act is no refusal.
func (d *daemon) actIf(verb string) (admin.DecisionView, error) {
	ctx := context.Background()
	for tries := 0; ; tries++ {
		ro, err := d.api.Rollout(ctx, "shop")
		if err != nil {
			return admin.DecisionView{}, err
		}
		decision, err := d.api.Act(ctx, "shop", verb, admin.Act{Actor: "chaos", IfVersion: &ro.Version})
		var refused *admin.StatusError
		if errors.As(err, &refused) && refused.Status == http.StatusPreconditionFailed && tries < 50 {
			<-time.After(100 * time.Millisecond)
			continue
		}
		return decision, err
	}
}
