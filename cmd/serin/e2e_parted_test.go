package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"serin/proxy/admin"
)

func TestE2E_TwoRolloutsAndAnExperimentPartedByAudiences(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v1, v2, v3 := startEcho(t, listenTCP(t), nil, nil), startEcho(t, listenTCP(t), nil, nil), startEcho(t, listenTCP(t), nil, nil)
	users := partedUsers(200)
	var names strings.Builder
	for _, u := range users[:10] {
		names.WriteString(u.key + "\n")
	}
	put(t, s.dir, "staff.txt", []byte(names.String()))
	file := s.file(t, fmt.Sprintf(partedFile, s.listen, v1, v2, v3))
	d := startDaemon(t, s, file)
	rollout := func(name string, is func(admin.Rollout) bool) (ro admin.Rollout) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var err error
			if ro, err = d.Client.Rollout(context.Background(), name); err != nil {
				t.Fatal(err)
			}
			if is(ro) {
				return ro
			}
			if time.Now().After(until) {
				t.Fatalf("%s: %s at %s, %v of stable and %v of the canary", name, ro.Phase, percent(ro.Weight), ro.Arms.Stable.Requests, ro.Arms.Canary.Requests)
			}
		}
	}
	at := func(w float64) func(admin.Rollout) bool { return func(ro admin.Rollout) bool { return ro.Weight == w } }
	if ro := rollout("internal", at(.5)); ro.Audience != "staff" {
		t.Errorf("got audience %q", ro.Audience)
	}
	rollout("checkout", at(.2))

	want := map[string]uint64{}
	everybody := func(when string) {
		t.Helper()
		arms := map[string]int{}
		for _, u := range users {
			route, explained, flags := u.byRoute(t, d.Listen), u.byExplain(t, d.Client), u.byFlags(t, d.Listen)
			if route.Owner != u.owner || route != explained {
				t.Fatalf("%s: %s: the route says %+v, explain says %+v, want %q", when, u.key, route, explained, u.owner)
			}
			if route.Arm = ""; route != flags {
				t.Fatalf("%s: %s: the route says %+v, OFREP says %+v", when, u.key, route, flags)
			}
			want[u.owner]++
			arms[u.owner+" "+explained.Arm]++
		}
		if len(arms) < 6 || arms[" "] == 0 {
			t.Errorf("%s: got %v, want both arms of three and robots", when, arms)
		}
	}
	everybody("at the first stages")
	// Evidence is of one's own users alone, and every one of their requests is.
	for _, name := range []string{"internal", "checkout"} {
		rollout(name, func(ro admin.Rollout) bool { return ro.Arms.Stable.Requests+ro.Arms.Canary.Requests == want[name] })
	}
	x, err := d.Client.Experiment(context.Background(), "button")
	if err != nil || x.Audience != "guests" {
		t.Errorf("got %v, audience %q", err, x.Audience)
	}
	counted, lines := uint64(0), linesWith(d.metrics(), "serin_http_requests_total")
	for line := range strings.SplitSeq(lines, "\n") {
		var n uint64
		_, _ = fmt.Sscan(line[strings.LastIndex(line, " ")+1:], &n)
		counted += n
	}
	if counted != want["internal"]+want["checkout"]+want["button"] {
		t.Errorf("%d requests are a rollout's or an experiment's, want those of all but the %d robots of %v\n%s", counted, want[""], want, lines)
	}
	// One rollout moves alone.
	ctx, before := context.Background(), rollout("checkout", at(.2)).Version
	if _, err := d.Client.Act(ctx, "internal", "promote", admin.Act{Full: true, Reason: "test", IfVersion: ptr(rollout("internal", at(.5)).Version)}); err != nil {
		t.Fatal(err)
	}
	if ro := rollout("internal", at(1)); ro.Phase != "completed" {
		t.Errorf("got %s", ro.Phase)
	}
	for _, u := range users {
		if a := u.byRoute(t, d.Listen); a.Owner != u.owner || u.owner == "internal" && (a.Arm != "canary" || a.Tools != "true") || u.owner != "internal" && a.Tools != "false" {
			t.Fatalf("completed for the staff: %s of %q got %+v", u.key, u.owner, a)
		}
	}
	if ro := rollout("checkout", at(.2)); ro.Version != before {
		t.Errorf("checkout went from version %d to %d", before, ro.Version)
	}
	partedReloads(t, d, s, file, users)
}

func ptr[T any](v T) *T { return &v }

// linesWith are the lines of text that begin with a word.
func linesWith(text, word string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.HasPrefix(line, word) }), "\n")
}

// partedReloads checks what a reload may change: who is in a file moves at once, audiences that are not apart any more are
// refused, and other people begin the evidence anew.
func partedReloads(t *testing.T, d *daemonProcess, s site, file string, users []partedUser) {
	t.Helper()
	guest := users[14]
	if guest.owner != "button" {
		t.Fatalf("%s is of %q", guest.key, guest.owner)
	}
	put(t, s.dir, "staff.txt", []byte(guest.key+"\n"))
	reload := func() {
		t.Helper()
		if _, err := d.Client.Reload(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	reload()
	if a := guest.byRoute(t, d.Listen); a.Owner != "internal" || a.Arm != "canary" {
		t.Errorf("a guest who joined the staff: got %+v", a)
	}
	if a := users[4].byRoute(t, d.Listen); a.Owner != "button" {
		t.Errorf("one who left it: got %+v", a)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mixed := strings.Replace(string(text), "any = [{ cookie = \"session\" }]\nnot = { audience = \"staff\" }", "any = [{ cookie = \"session\" }]", 1)
	if mixed == string(text) {
		t.Fatal("the file has changed")
	}
	put(t, s.dir, filepath.Base(file), []byte(mixed))
	if _, err := d.Client.Reload(context.Background()); err == nil {
		t.Error("audiences with people in common: got no error")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if out, code := runBinary(t, path, "check", "-c", file); code != 78 || !strings.Contains(out, `rollout.checkout.audience: rollout "internal" is for "staff", and a user with`) {
		t.Errorf("check of audiences with people in common: exit %d\n%s", code, out)
	}
	if a := guest.byRoute(t, d.Listen); a.Owner != "internal" {
		t.Errorf("after a file that was refused: got %+v", a)
	}
	checkout := func() admin.Rollout {
		t.Helper()
		ro, err := d.Client.Rollout(context.Background(), "checkout")
		if err != nil {
			t.Fatal(err)
		}
		return ro
	}
	was := checkout()
	others := strings.Replace(string(text), `any = [{ cookie = "session" }]`, `any = [{ cookie = "login" }]`, 1)
	others = strings.Replace(others, `{ cookie = "session" }, { header`, `{ cookie = "login" }, { header`, 1)
	put(t, s.dir, filepath.Base(file), []byte(others))
	reload()
	is := checkout()
	for until := time.Now().Add(20 * time.Second); is.Version == was.Version && time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		is = checkout()
	}
	if n := is.Arms.Stable.Requests + is.Arms.Canary.Requests; n != 0 || is.Weight != was.Weight || is.Stage.Index != was.Stage.Index || is.LastDecision.Reason != "policy_changed" {
		t.Errorf("other people: %d requests of evidence, weight %s at stage %d, %s; want none, the weight and the stage as they were", n, percent(is.Weight), is.Stage.Index, is.LastDecision.Reason)
	}
	if code := d.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
}
