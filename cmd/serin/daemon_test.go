package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

	"serin/bench/process"
	"serin/proxy/admin"
)

// daemonProcess is the built binary serving a configuration file.
type daemonProcess struct {
	t      *testing.T
	cmd    *exec.Cmd
	Listen string // http://address of the proxy
	Client *admin.Client
	File   string
	done   chan struct{} // closed when the process has ended
	err    error         // its end
	log    *lockedBuffer
	notify *net.UnixConn // $NOTIFY_SOCKET
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// site is where a daemon listens and keeps its state; a restarted daemon gets the same.
type site struct{ dir, listen, admin string }

func newSite(t *testing.T) site {
	t.Helper()
	return site{dir: t.TempDir(), listen: ownAddress(t), admin: ownAddress(t)}
}

// ownAddress is a loopback address that no other test gets, nor the kernel for a connection: it is still free when serin
// listens there later.
func ownAddress(t *testing.T) string {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// config writes serin.toml: the site's addresses, then body.
func (s site) config(t *testing.T, body string) string {
	t.Helper()
	file := filepath.Join(s.dir, "serin.toml")
	text := fmt.Sprintf("[listen]\naddress = %q\n[admin]\naddress = %q\n[state]\ndir = %q\n", s.listen, s.admin, filepath.Join(s.dir, "state"))
	if err := os.WriteFile(file+".new", []byte(text+body), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	return file
}

// startDaemon runs `serin run -c file` and waits until it says over $NOTIFY_SOCKET that it is ready, as systemd would.
func startDaemon(t *testing.T, s site, file string, sockets ...*os.File) *daemonProcess {
	t.Helper()
	d := launchDaemon(t, s, file, sockets...)
	d.awaitReady()
	return d
}

// launchDaemon starts serin as systemd would, with the sockets it passes, all called serin.
func launchDaemon(t *testing.T, s site, file string, sockets ...*os.File) *daemonProcess {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemonProcess{t: t, File: file, Listen: "http://" + s.listen, done: make(chan struct{}), log: &lockedBuffer{}}
	socket := filepath.Join(s.dir, fmt.Sprintf("notify%d", launches.Add(1)))
	if d.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.notify.Close() })
	if d.Client, err = admin.NewClient(s.admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Client.Close)
	d.cmd = exec.Command(path, "run", "-c", file)
	if len(sockets) > 0 { // LISTEN_PID is the process's own number: only a shell can know it before
		d.cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, path, "run", "-c", file)
		d.cmd.ExtraFiles = sockets
	}
	names := strings.TrimSuffix(strings.Repeat("serin:", len(sockets)), ":")
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES="+names)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.err = d.cmd.Wait(); close(d.done) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("upstream errors: %s", upstreamErrors(s.admin))
		}
		d.cmd.Process.Kill()
		<-d.done
		if t.Failed() {
			t.Logf("serin said:\n%s", d.log)
		}
	})
	return d
}

// launches numbers the daemons of this process.
var launches atomic.Int32

// awaitReady waits until the daemon says that it serves.
func (d *daemonProcess) awaitReady() {
	d.t.Helper()
	d.notify.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 4096)
	for {
		n, err := d.notify.Read(buf)
		if err != nil {
			d.t.Fatalf("serin did not become ready: %v\n%s", err, d.log)
		}
		if strings.Contains(string(buf[:n]), "READY=1") {
			return
		}
	}
}

// Signal sends sig and, unless it is SIGHUP, returns when the process has ended, with its exit code.
func (d *daemonProcess) Signal(sig syscall.Signal) int {
	d.t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.t.Fatal(err)
	}
	if sig == syscall.SIGHUP {
		return 0
	}
	select {
	case <-d.done:
	case <-time.After(60 * time.Second):
		d.t.Fatalf("serin did not end on %v", sig)
	}
	return d.cmd.ProcessState.ExitCode()
}

// errSeen ends Follow.
var errSeen = errors.New("seen")

// Follow calls on for every status of the one rollout until it returns true; it fails the test after limit.
func (d *daemonProcess) Follow(limit time.Duration, on func(admin.Rollout) bool) admin.Rollout {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var last admin.Rollout
	err := d.Client.Events(ctx, "", func(ev admin.Event) error {
		switch ev.Kind {
		case "snapshot":
			var all admin.Rollouts
			if err := json.Unmarshal(ev.Data, &all); err != nil || len(all.Rollouts) == 0 {
				return err
			}
			last = all.Rollouts[0]
		case "rollout":
			last = admin.Rollout{}
			if err := json.Unmarshal(ev.Data, &last); err != nil {
				return err
			}
		}
		if on(last) {
			return errSeen
		}
		return nil
	})
	if !errors.Is(err, errSeen) {
		d.t.Fatalf("after %v in %s at %s: %v\n%s", limit, last.Phase, percent(last.Weight), err, last.Sentence)
	}
	return last
}

// runBinary runs serin to its end and returns what it printed and its exit code.
func runBinary(t *testing.T, path string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// upstreamErrors is what the daemon's metrics say of failed exchanges, for a failing test's log.
func upstreamErrors(admin string) string {
	resp, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	var found []string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "serin_upstream_errors_total{") {
			found = append(found, lines.Text())
		}
	}
	return strings.Join(found, " ")
}
