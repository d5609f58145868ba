package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"serin/proxy/admin"
)

// forcedLadder is a rollout that only a person moves, with a tunnel's time after a rollback.
const forcedLadder = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["50%%", "100%%"]
every  = "10m"
revert = { over = "0s", drain = "3s" }
`

// openTunnel asks for an upgrade as a user and returns the connection and its reader, behind the answer's head.
func openTunnel(t *testing.T, address, user string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "GET /upgrade HTTP/1.1\r\nHost: shop.example\r\nX-User-Id: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", user)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade of %s: %v, %v", user, resp, err)
	}
	return conn, r
}

func TestE2E_Rollback_CutsTheCanarysTunnelsOffWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v1, v2 := startEcho(t, listenTCP(t), nil, nil), startEcho(t, listenTCP(t), nil, nil)
	d := startDaemon(t, s, s.config(t, fmt.Sprintf(forcedLadder, v1, v2)))
	d.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .5 })
	ctx := context.Background()
	users := map[string]string{} // one user of each arm
	for i := 0; len(users) < 2; i++ {
		user := fmt.Sprintf("user-%d", i)
		e, err := d.Client.Explain(ctx, admin.Ask{Key: user})
		if err != nil {
			t.Fatal(err)
		}
		users[e.Rollouts[0].Arm] = user
	}
	stable, stableReader := openTunnel(t, d.Listen, users["stable"])
	_, canaryReader := openTunnel(t, d.Listen, users["canary"])
	if _, err := d.Client.Act(ctx, "shop", "rollback", admin.Act{Reason: "now"}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := canaryReader.ReadByte(); err == nil {
		t.Error("the canary's tunnel said something")
	}
	if took := time.Since(began); took < 2*time.Second || took > 12*time.Second {
		t.Errorf("cut after %s, want about 3 s", took)
	}
	io.WriteString(stable, "ping")
	echo := make([]byte, 4)
	if _, err := io.ReadFull(stableReader, echo); err != nil || string(echo) != "ping" {
		t.Errorf("stable's tunnel: %q, %v", echo, err)
	}
}

// A freeze, its refusals and its end, as the command line shows them, with a kill in between.
func TestE2E_PauseAll_OutlivesAKillAndOtherRevisions(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 200, 0, 0)
	ctx := context.Background()
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .05 })
	done, err := s.Client.All(ctx, "pause", admin.Act{Actor: "ops", Reason: "the sale"})
	if err != nil || done.Freeze == nil || done.Freeze.Actor != "ops" || len(done.Decisions) != 1 || done.Decisions[0].Action != "pause" {
		t.Fatalf("pause all: %+v, %v", done, err)
	}
	s.Signal(syscall.SIGKILL)
	s.daemonProcess = startDaemon(t, s.site, s.site.config(t, strings.Replace(fmt.Sprintf(ladderOf5, s.v1.Address, s.v2.Address), "[upstream.v2]", "[upstream.v2]\nrevision = \"v3\"", 1)))
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Revision == "v3" && ro.Phase == "paused" && ro.Weight == 0 })
	f, err := s.Client.Freeze(ctx)
	if err != nil || f == nil || f.Reason != "the sale" {
		t.Errorf("after the kill: %+v, %v", f, err)
	}
	if _, err := s.Client.Act(ctx, "shop", "resume", admin.Act{}); err == nil || !strings.Contains(err.Error(), "everything is paused") {
		t.Errorf("resume of one: %v", err)
	}
	if done, err = s.Client.All(ctx, "resume", admin.Act{Actor: "ops"}); err != nil || done.Freeze != nil {
		t.Errorf("resume all: %+v, %v", done, err)
	}
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .05 })
	if _, err := s.Client.All(ctx, "resume", admin.Act{}); err == nil || !strings.Contains(err.Error(), "not everything is paused") {
		t.Errorf("second resume all: %v", err)
	}
	if done, err = s.Client.All(ctx, "rollback", admin.Act{Actor: "ops"}); err != nil || len(done.Decisions) != 1 || done.Decisions[0].Action != "rollback" || done.Decisions[0].Attempt == nil {
		t.Errorf("rollback all: %+v, %v", done, err)
	}
}

// A gradual return, killed in the middle, ends at nothing.
func TestE2E_GradualReturn_KilledInTheMiddle_EndsAtNothing(t *testing.T) {
	t.Parallel()
	slow := strings.Replace(ladderOf5, `warmup = "2s"`, "warmup = \"2s\"\nrevert = { over = \"30s\" }", 1)
	s := stage(t, slow, 200, 0, 0)
	ctx := context.Background()
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .05 })
	if _, err := s.Client.Act(ctx, "shop", "promote", admin.Act{Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client.Act(ctx, "shop", "rollback", admin.Act{}); err != nil {
		t.Fatal(err)
	}
	s.Follow(20*time.Second, func(ro admin.Rollout) bool {
		return ro.Phase == "rolled_back" && ro.Weight > .05 && ro.Weight < .24
	})
	s.Signal(syscall.SIGKILL)
	s.daemonProcess = startDaemon(t, s.site, s.File)
	ro, err := s.Client.Rollout(ctx, "shop")
	if err != nil || ro.Phase != "rolled_back" || ro.Weight != 0 {
		t.Errorf("after the kill: %s at %v, %v", ro.Phase, ro.Weight, err)
	}
}
