package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/proxy/admin"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and review):\ngot\n%s\nwant\n%s", name, got, want)
	}
}

func TestStatus_Holding_ReadsLikeTheStudysExample(t *testing.T) {
	address := daemonOf(t, &fakeLoop{rollouts: []control.RolloutStatus{holding()}})
	code, out, talk := serin(nil, "status", "--admin", address)
	if code != 0 || talk != "" {
		t.Fatalf("exit %d, %s", code, talk)
	}
	golden(t, "status.txt", out)
	narrow(t, out)
	if _, again, _ := serin(nil, "status", "checkout", "--admin", address); again != out {
		t.Errorf("named: got %s", again)
	}
}

func TestStatus_NoTraffic_ShowsNoNumbers(t *testing.T) {
	ro := named("a", gate.Progressing, .01)
	ro.Gates = []gate.Finding{
		{Metric: "error_rate", Scale: "points", HoldLimit: .005, PassLimit: .02, DifferenceLow: -1, DifferenceHigh: 1},
		{Metric: "latency_p99", Scale: "ratio", HoldLimit: 1.25, PassLimit: 1.25},
	}
	_, out, _ := serin(nil, "status", "--admin", daemonOf(t, &fakeLoop{rollouts: []control.RolloutStatus{ro}}))
	for _, want := range []string{"canary no request, stable no request: hold", "canary -, stable -, ratio - (limit 1.25): hold"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "harm") || strings.Contains(out, "0.0 ms") {
		t.Errorf("what was not measured has a number:\n%s", out)
	}
}

func TestGates_AbsoluteLimits_ReadInTheirOwnUnit(t *testing.T) {
	ro, rollback, needs := named("a", gate.Progressing, .05), .05, 2400.0
	ratio := 10. / 3
	ro.Gates = []gate.Finding{
		{
			Metric: "error_rate", Scale: "points", Absolute: true, Canary: .0275, Stable: .02, Difference: .0275, DifferenceLow: .0179, DifferenceHigh: .0393,
			HoldLimit: .01, RollbackLimit: &rollback, PassLimit: .01, PassNeeds: 20, FailNeeds: &needs, Samples: gate.Samples{Stable: 100, StableBad: 2, Canary: 2000, CanaryBad: 55},
		},
		{
			Metric: "latency_p99", Scale: "ratio", Absolute: true, Canary: 12, Stable: 19, Difference: .04,
			HoldLimit: 1, RollbackLimit: &ratio, PassLimit: 1, PassOdds: 900, PassNeeds: 20, FailNeeds: &needs, Reason: gate.Collecting,
		},
	}
	address := daemonOf(t, &fakeLoop{rollouts: []control.RolloutStatus{ro}})
	_, status, _ := serin(nil, "status", "--admin", address)
	_, why, _ := serin(nil, "why", "--admin", address)
	text := strings.Join(strings.Fields(status+why), " ")
	for _, want := range []string{
		"rate is between 1.79 % and 3.93 % (95 %) must show < 1.00 %: odds", "rolls back at >= 5.00 % with odds",
		"canary 12 ms (limit 300 ms), stable 19 ms: hold must show < 300 ms: odds 900 of 20", "rolls back at >= 1000 ms",
		"error_rate holds: its rate of 2.75 % must come below 1.00 %",
		"latency_p99 holds, collecting: the odds that its latency is below 300 ms suffice, 900 of 20",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s%s", want, status, why)
		}
	}
	narrow(t, status+why)
}

func TestWrapped_UnitStaysWithItsNumber(t *testing.T) {
	text := strings.Repeat("x", 77) + " 50 % more"
	if got := wrapped(text, ""); len(got) != 2 || got[1] != "50 % more" {
		t.Errorf("got %q", got)
	}
}

// narrow insists on 80 columns.
func narrow(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if n := len([]rune(line)); n > columns {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestWhy_Holding_SaysWhatWouldChangeIt(t *testing.T) {
	s := holding()
	now := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	text := strings.Join(whyText(admin.RolloutOf(&s), now), "\n") + "\n"
	golden(t, "why.txt", text)
	narrow(t, text)
}

func TestLog_Decisions_AreALineEachAndTheirSentence(t *testing.T) {
	now := time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)
	note := journal.Entry{
		ID: "checkout-1-4", At: now.Add(-time.Hour), Sentence: "Rolled back from 5 % to 0 % by ann (p99 looks odd).",
		Decision: gate.Decision{Action: gate.ActRollback, From: 500, Actor: "ann", Note: "p99 looks odd"},
	}
	var lines []string
	for _, e := range []journal.Entry{note, *holding().LastDecision} {
		lines = append(lines, decisionText(admin.DecisionOf(e), now)...)
	}
	golden(t, "log.txt", strings.Join(lines, "\n")+"\n")
}

func TestHelp_OfEveryVerb_IsKept(t *testing.T) {
	var b strings.Builder
	for _, args := range [][]string{
		{}, {"status"}, {"watch"}, {"why"}, {"log"}, {"explain"}, {"wait"}, {"pause"}, {"promote"}, {"rollback"}, {"retry"},
		{"check"}, {"replay"}, {"config"}, {"config", "effective"}, {"config", "schema"}, {"version"},
	} {
		code, out, talk := serin(nil, append(args, "--help")...)
		if code != 0 || talk != "" {
			t.Errorf("%v: exit %d %s", args, code, talk)
		}
		b.WriteString("$ serin " + strings.Join(args, " ") + "\n" + out + "\n")
	}
	golden(t, "help.txt", b.String())
}

func TestVerbs_TerminalControls_AreTakenOut(t *testing.T) {
	s := holding()
	s.Sentence = "evil \x1b[2J\x07 sentence\u009b31m"
	s.Revision = "r\x1b]0;title\x07"
	address := daemonOf(t, &fakeLoop{rollouts: []control.RolloutStatus{s}})
	for _, verb := range []string{"status", "why"} {
		if _, out, _ := serin(nil, verb, "--admin", address); strings.ContainsAny(out, "\x1b\x07\u009b") {
			t.Errorf("%s: %q", verb, out)
		}
	}
}

func TestJSON_OfReadingVerbs_IsTheAPIs(t *testing.T) {
	loop := &fakeLoop{rollouts: []control.RolloutStatus{holding()}, list: []journal.Entry{*holding().LastDecision}}
	address := daemonOf(t, loop)
	for verb, key := range map[string]string{
		"status": "rollouts", "status checkout": "phase", "why": "sentence", "log": "decisions", "explain --key alice": "flips_at_weight", "version": "platform",
	} {
		args := append(strings.Fields(verb), "-o", "json")
		if verb != "version" {
			args = append(args, "--admin", address)
		}
		code, out, talk := serin(nil, args...)
		if code != 0 || !json.Valid([]byte(out)) || !strings.Contains(out, `"`+key+`"`) || talk != "" {
			t.Errorf("%s: exit %d %s%s", verb, code, out, talk)
		}
	}
}

func TestTarget_Sources_HaveTheirOrder(t *testing.T) {
	dir := t.TempDir()
	file := func(name, address string) string {
		path := filepath.Join(dir, name)
		text := "[admin]\naddress = \"" + address + "\"\n[upstream.v1]\nservers = [\"127.0.0.1:1\"]\n[route.all]\nupstream = \"v1\"\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flagged, fromEnv := file("a.toml", "127.0.0.1:1001"), file("b.toml", "127.0.0.1:1002")
	tests := []struct {
		name string
		t    target
		vars map[string]string
		want string
	}{
		{"nothing said", target{}, nil, defaultAdmin},
		{"flag first", target{admin: "x:1", configFile: flagged}, map[string]string{"SERIN_ADMIN": "y:1", "SERIN_CONFIG": fromEnv}, "x:1"},
		{"then the variable", target{configFile: flagged}, map[string]string{"SERIN_ADMIN": "y:1", "SERIN_CONFIG": fromEnv}, "y:1"},
		{"then the file named", target{configFile: flagged}, map[string]string{"SERIN_CONFIG": fromEnv}, "127.0.0.1:1001"},
		{"then the variable's file", target{}, map[string]string{"SERIN_CONFIG": fromEnv}, "127.0.0.1:1002"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.t.env = &env{stderr: io.Discard, getenv: func(name string) string { return tt.vars[name] }}
			if got, err := tt.t.address(); err != nil || got != tt.want {
				t.Errorf("got %q %v, want %q", got, err, tt.want)
			}
		})
	}
}

// script answers wait's questions one after another; the last answer stays.
type script []admin.Rollout

func (s *script) Rollout(context.Context, string) (admin.Rollout, error) {
	ro := (*s)[0]
	if ro.Phase == "" {
		*s = (*s)[1:]
		return ro, &admin.UnreachableError{Address: "x", Err: io.EOF}
	}
	if len(*s) > 1 {
		*s = (*s)[1:]
	}
	return ro, nil
}

func TestWait_AsTimePasses_EndsAsTheRolloutDoes(t *testing.T) {
	going := admin.Rollout{Name: "a", Phase: "progressing", Revision: "r2", Weight: .05}
	held := admin.Rollout{Name: "a", Phase: "holding", Revision: "r2", Sentence: "Held."}
	done := admin.Rollout{Name: "a", Phase: "completed", Revision: "r2", Sentence: "Completed."}
	old := admin.Rollout{Name: "a", Phase: "completed", Revision: "r1"}
	back := admin.Rollout{Name: "a", Phase: "rolled_back", Revision: "r2"}
	manual := admin.Rollout{Name: "a", Phase: "waiting", Reason: "manual"}
	outdated := admin.Rollout{Name: "a", Phase: "waiting", Reason: "stable_outdated"}
	restart := admin.Rollout{}
	tests := []struct {
		name     string
		first    admin.Rollout
		then     script
		revision string
		want     int
		takes    time.Duration
	}{
		{"completes", going, script{going, held, done}, "", exitOK, 3 * time.Second},
		{"is rolled back", going, script{held, back}, "", exitRolledBack, 2 * time.Second},
		{"a hold does not end it", going, script{held}, "", exitHeld, time.Minute},
		{"waits for a person to start it", manual, script{manual}, "", exitHeld, time.Minute},
		{"waits for a mended file", outdated, script{outdated}, "", exitHeld, time.Minute},
		{"goes on", going, script{going}, "", exitTimeout, time.Minute},
		{"an older revision is not meant", old, script{old, going, done}, "r2", exitOK, 3 * time.Second},
		{"the daemon restarts", going, script{restart, restart, done}, "", exitOK, 3 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &env{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				then := tt.then
				code := e.report(e.wait(ctx, &then, &tt.first, tt.revision))
				if took := time.Since(began); code != tt.want || took != tt.takes {
					t.Errorf("exit %d after %v, want %d after %v", code, took, tt.want, tt.takes)
				}
			})
		})
	}
}

func TestWait_JSON_IsTheLastStatus(t *testing.T) {
	loop := &fakeLoop{rollouts: []control.RolloutStatus{named("a", gate.RolledBack, 0), named("b", gate.Paused, .05)}}
	vars := map[string]string{"SERIN_ADMIN": daemonOf(t, loop)}
	for name, want := range map[string]int{"a": exitRolledBack, "b": exitHeld} {
		code, out, _ := serin(vars, "wait", name, "--timeout", "1ms", "-o", "json")
		var ro admin.Rollout
		if err := json.Unmarshal([]byte(out), &ro); code != want || err != nil || ro.Name != name {
			t.Errorf("exit %d, want %d; %v in %s", code, want, err, out)
		}
	}
}

func TestReport_Interrupted_SaysSo(t *testing.T) {
	var talk bytes.Buffer
	e := &env{stderr: &talk}
	if code := e.report(context.Canceled); code != exitFailure || talk.String() != "serin: interrupted\n" {
		t.Errorf("exit %d %q", code, talk.String())
	}
}

func TestWatch_Text_IsOneLineAChange(t *testing.T) {
	var out bytes.Buffer
	w := watcher{env: &env{stdout: &out}}
	f := follower{name: "a", on: w.show}
	say := func(kind string, v any) error {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return f.event(admin.Event{Kind: kind, Data: raw, ID: "e-1"})
	}
	going := admin.Rollout{Name: "a", Version: 1, Phase: "progressing", Weight: .05}
	if err := say("snapshot", admin.Rollouts{Rollouts: []admin.Rollout{{Name: "other"}, going}}); err != nil {
		t.Fatal(err)
	}
	going.Arms.Canary.Requests = 99 // numbers alone are no news
	say("rollout", going)
	say("rollout", admin.Rollout{Name: "other", Phase: "completed"})
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
	going.Phase, going.Weight, going.Version = "rolled_back", 0, 2
	if err := say("rollout", going); err != errEnded || w.env.report(f.end) != exitRolledBack {
		t.Errorf("ended with %v, %v", err, f.end)
	}
	if f.last != "e-1" {
		t.Errorf("the last event's id is not kept")
	}
	w.env.stderr = io.Discard
	if err := say("removed", map[string]string{"name": "a"}); err != errEnded || w.env.report(f.end) != exitFailure {
		t.Errorf("removed: %v, %v", err, f.end)
	}
}

func TestFormat_Numbers_ReadWell(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{percent(.25), "25 %"}, {percent(.005), "0.5 %"}, {percent(.0525), "5.25 %"}, {percent(1), "100 %"}, {percent(0), "0 %"},
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(15087), "15,087"}, {count(1234567), "1,234,567"},
		{odds(0), "0"}, {odds(.6), "0.6"}, {odds(14.2), "14"}, {odds(19.9999999), "20"}, {odds(599.999), "600"}, {odds(1e300), "over a million"},
		{millis(1.25), "1.2 ms"}, {millis(181.3), "181 ms"},
		{span(45), "45 s"}, {span(150), "2 min 30 s"}, {span(360), "6 min"}, {span(4800), "80 min"}, {span(7200), "2 h"}, {span(9000), "2 h 30 min"}, {span(200000), "2 days"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestCheck_DaemonWithTraffic_IsAskedForIt(t *testing.T) {
	f := func(requests uint64, want bool) {
		t.Helper()
		quiet := holding()
		quiet.Stable = control.ArmStatus{Requests: requests, Rate: 0.1}
		quiet.Canary = control.ArmStatus{}
		file := filepath.Join(t.TempDir(), "serin.toml")
		address := daemonOf(t, &fakeLoop{rollouts: []control.RolloutStatus{quiet}})
		if err := os.WriteFile(file, []byte("[admin]\naddress = \""+address+"\"\n"+ladder), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, talk := serin(nil, "check", "-c", file)
		if got := strings.Contains(talk, "traffic as observed"); got != want || (code == exitConfig) != want {
			t.Errorf("%d requests seen: exit %d\n%s%s", requests, code, out, talk)
		}
	}
	f(3, false) // a daemon that began just now tells nothing of the traffic to come
	f(5000, true)
}

func TestCheck_DaemonThatAsksForAToken_IsAskedWithTheShells(t *testing.T) {
	seen := holding()
	seen.Stable = control.ArmStatus{Requests: 5000, Rate: 0.1}
	file := filepath.Join(t.TempDir(), "serin.toml")
	if err := os.WriteFile(file, []byte(ladder), 0o600); err != nil {
		t.Fatal(err)
	}
	address := guardedOf(t, &fakeLoop{rollouts: []control.RolloutStatus{seen}}, "secret-0123456789")
	vars := map[string]string{"SERIN_ADMIN": address}
	if _, _, talk := serin(vars, "check", "-c", file); !strings.Contains(talk, "does not tell its traffic: a token is needed") {
		t.Errorf("without a token: %s", talk)
	}
	vars["SERIN_TOKEN"] = "secret-0123456789"
	if _, _, talk := serin(vars, "check", "-c", file); !strings.Contains(talk, "traffic as observed at "+address) {
		t.Errorf("with a token: %s", talk)
	}
}
