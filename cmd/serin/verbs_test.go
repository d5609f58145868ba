package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/proxy/admin"
	"serin/router"
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

// fakeLoop is a control loop that answers what the test says.
type fakeLoop struct {
	mu       sync.Mutex
	rollouts []control.RolloutStatus
	refusal  gate.Refusal
	got      []gate.Operator
	list     []journal.Entry
}

func (f *fakeLoop) Status() *control.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &control.Status{Rollouts: append([]control.RolloutStatus(nil), f.rollouts...)}
}

func (f *fakeLoop) Operate(_ context.Context, rollout string, op gate.Operator) (gate.Decision, journal.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rollouts {
		if r.Name == rollout {
			f.got = append(f.got, op)
			e := journal.Entry{ID: "x-1-1", Sentence: "Done to " + rollout + " by " + op.Actor + "."}
			return gate.Decision{Refusal: f.refusal}, e, nil
		}
	}
	return gate.Decision{}, journal.Entry{}, control.ErrUnknownRollout
}

func (f *fakeLoop) Decisions(string, time.Time, int) ([]journal.Entry, error) { return f.list, nil }

type fakeRouter struct{}

func (fakeRouter) Explain(key string) admin.Explain {
	return admin.ExplainKey(key, []*router.Split{{Rollout: "checkout", Salt: router.Salt("checkout"), Weight: 500}})
}

// daemonOf serves a loop on a socket of the test's own and returns its address.
func daemonOf(t *testing.T, loop *fakeLoop) string {
	t.Helper()
	address := "unix:" + filepath.Join(t.TempDir(), "admin.sock")
	ln, err := admin.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := admin.New(admin.Options{Address: address, Loop: loop, Router: fakeRouter{}})
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return address
}

// serin runs a command line in this process.
func serin(vars map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, talk bytes.Buffer
	e := &env{stdout: &out, stderr: &talk, getenv: func(name string) string { return vars[name] }}
	code = e.run(context.Background(), args)
	return code, out.String(), talk.String()
}

// holding is a rollout in the shape of gate.md's section 9.
func holding() control.RolloutStatus {
	observed, left := .0513, 6*time.Minute
	rollback, needs, eta := .02, 600.0, 360.0
	at := time.Date(2026, 11, 20, 13, 45, 0, 0, time.UTC)
	ms := time.Millisecond
	return control.RolloutStatus{
		Name: "checkout", Version: 9, Phase: gate.Progressing, Revision: "2026-11-18.3", Attempt: 1, Weight: .05, ObservedWeight: &observed,
		Stage: control.StageStatus{Index: 2, Count: 4, Weight: 500, Elapsed: 10 * time.Minute, Least: 15 * time.Minute, Remaining: &left},
		Stages: []control.RungStatus{
			{Index: 1, Label: "1 %", State: "passed"}, {Index: 2, Label: "5 %", State: "current"},
			{Index: 3, Label: "25 %", State: "ahead"}, {Index: 4, Label: "100 %", State: "ahead"},
		},
		Verdict: gate.Hold, Reason: gate.NotEnoughEvidence,
		Sentence: "Holding at 5 %: 3,596 canary requests are not yet enough to rule out 2 points more errors.",
		Next:     "Advance to 25 % at about 14:14, once the error gate has its evidence.",
		Gates: []gate.Finding{
			{
				Metric: "error_rate", Scale: "points", Rule: "hold: stable + 0.5pt, rollback: stable + 2pt", Reason: gate.NotEnoughEvidence,
				Stable: .0102, Canary: .0114, Difference: .0012, DifferenceLow: -.0031, DifferenceHigh: .0088,
				HoldLimit: .005, RollbackLimit: &rollback, PassLimit: .02, PassOdds: 14, PassNeeds: 20, FailOdds: .6, FailNeeds: &needs,
				Samples: gate.Samples{Stable: 68000, StableBad: 694, Canary: 3596, CanaryBad: 41}, ExpectedSeconds: &eta,
			},
			{
				Metric: "latency_p95", Scale: "ratio", Verdict: gate.Pass, Stable: 178, Canary: 181, Difference: 1.02, HoldLimit: 1.1,
				PassLimit: 1.4, PassOdds: 31, PassNeeds: 20,
			},
		},
		Stable: control.ArmStatus{Requests: 68000, Errors: 694, Rate: 190, P50: 60 * ms, P95: 178 * ms, P99: 300 * ms},
		Canary: control.ArmStatus{Requests: 3596, Errors: 41, Rate: 10, P50: 61 * ms, P95: 181 * ms, P99: 310 * ms},
		Users:  control.UsersStatus{Active: 2530, DesignEffect: 1.3, MaskedBuckets: 4, WorstBucketShare: .06}, Exposure: control.ExposureStatus{Users: 512, Requests: 4400, Failed: 50, UsersFailed: 38},
		Allowed: []string{"pause", "promote", "rollback"},
		LastDecision: &journal.Entry{ID: "checkout-1-3", At: at, Sentence: "Advanced to 5 %: every gate passed.", Decision: gate.Decision{
			Action: gate.ActAdvance, From: 100, To: 500, Actor: "gate", Verdict: gate.Pass, Reason: "pass",
			Findings: []gate.Finding{{
				Metric: "error_rate", Scale: "points", Verdict: gate.Pass, Stable: .01, Canary: .009, Difference: -.001, DifferenceLow: -.006,
				DifferenceHigh: .012, HoldLimit: .005, PassLimit: .02, PassOdds: 26, PassNeeds: 20,
				Samples: gate.Samples{Stable: 81000, StableBad: 810, Canary: 820, CanaryBad: 7},
			}},
		}},
	}
}

func named(name string, phase gate.Phase, weight float64) control.RolloutStatus {
	return control.RolloutStatus{Name: name, Phase: phase, Weight: weight, Attempt: 1, Revision: "r1", Sentence: "As it is."}
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
		{"check"}, {"config"}, {"config", "effective"}, {"config", "schema"}, {"version"},
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

func TestExitCodes_EveryVerb_AreTheContract(t *testing.T) {
	loop := &fakeLoop{rollouts: []control.RolloutStatus{named("a", gate.Completed, 1), named("b", gate.RolledBack, 0), named("c", gate.Paused, .05), named("d", gate.Progressing, .05)}}
	address := daemonOf(t, loop)
	nobody := unused(t)
	bad := filepath.Join(t.TempDir(), "bad.toml")
	if err := os.WriteFile(bad, []byte("[listn]\n[upstream.v1]\nservers = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		line string
		want int
		says string
	}{
		{"status", exitOK, ""},
		{"status a", exitOK, ""},
		{"status nope", exitFailure, `no rollout "nope"`},
		{"status a b", exitUsage, "at most 1"},
		{"status -o yaml", exitUsage, "text or json"},
		{"status --flag", exitUsage, "unknown flag"},
		{"staus", exitUsage, "did you mean status or start?"},
		{"nonsense", exitUsage, "no verb"},
		{"config effectiv", exitUsage, "did you mean effective?"},
		{"why", exitUsage, "they are a, b, c, d"},
		{"why a", exitOK, ""},
		{"log", exitUsage, "name one"},
		{"log a --since tomorrow", exitUsage, "neither a duration"},
		{"log a --since -1h", exitUsage, "neither a duration"},
		{"log a --limit -1", exitUsage, "out of range"},
		{"log a --limit x", exitUsage, "invalid"},
		{"explain", exitUsage, "needs a key"},
		{"explain --key " + strings.Repeat("k", 1<<20), exitUsage, "16 KiB"},
		{"watch a -o text", exitOK, ""},
		{"watch b -o json", exitRolledBack, ""},
		{"wait a", exitOK, ""},
		{"wait a --for terminal", exitOK, ""},
		{"wait b", exitRolledBack, ""},
		{"wait b --for terminal", exitRolledBack, ""},
		{"wait a --for nothing", exitUsage, "completed or terminal"},
		{"wait a --timeout -1s", exitUsage, "negative"},
		{"wait c --timeout 1ms", exitHeld, "c is paused at 5 %"},
		{"wait d --timeout 1ms", exitTimeout, "d is progressing at 5 %"},
		{"wait a --revision other --timeout 1ms", exitTimeout, "the time is up"},
		{"pause", exitUsage, "needs the name"},
		{"pause nope", exitFailure, `no rollout "nope"`},
		{"pause a --if-version -1", exitUsage, "invalid"},
		{"pause a --full", exitUsage, "unknown flag"},
		{"promote a --full --reason because --if-version 0", exitOK, ""},
		{"retry a --from-stage -1", exitFailure, "negative"},
		{"rollback", exitUsage, "needs the name"},
		{"rollback a --all", exitUsage, "needs the name"},
		{"rollback --all", exitOK, ""},
		{"check", exitUsage, "no configuration file"},
		{"check -c /nonexistent/serin.toml", exitConfig, "invalid"},
		{"check -c " + bad, exitConfig, "listen"},
		{"check -c " + bad + " --rps -1", exitUsage, "no traffic"},
		{"check -c " + bad + " --error-rate 200%", exitUsage, "no share"},
		{"config effective -c " + bad, exitConfig, "invalid"},
		{"config schema -o toml", exitUsage, "json or markdown"},
		{"version", exitOK, ""},
		{"completion bash", exitOK, ""},
	}
	for _, tt := range tests {
		t.Run(tt.line[:min(40, len(tt.line))], func(t *testing.T) {
			vars := map[string]string{"SERIN_ADMIN": address}
			code, _, talk := serin(vars, strings.Fields(tt.line)...)
			if code != tt.want || !strings.Contains(talk, tt.says) {
				t.Errorf("serin %s: exit %d, want %d with %q\n%s", tt.line, code, tt.want, tt.says, talk)
			}
			if tt.want == exitUsage && !strings.HasPrefix(talk, "serin: ") {
				t.Errorf("stderr %q", talk)
			}
		})
	}
	for _, line := range []string{"status", "why", "log a", "watch", "wait", "pause a", "rollback --all", "explain --key x", "config effective"} {
		code, out, talk := serin(map[string]string{"SERIN_ADMIN": nobody}, strings.Fields(line)...)
		if code != exitUnreachable || out != "" || !strings.Contains(talk, "no serin answers") || !strings.Contains(talk, "hint: ") {
			t.Errorf("serin %s without a daemon: exit %d %s%s", line, code, out, talk)
		}
	}
}

// unused is an address where nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestActs_Refused_ExitSevenOrOne(t *testing.T) {
	loop := &fakeLoop{rollouts: []control.RolloutStatus{holding()}}
	address := daemonOf(t, loop)
	for refusal, want := range map[gate.Refusal]int{
		gate.RefusedVersion: exitRefused, gate.RefusedRole: exitRefused, gate.RefusedPhase: exitFailure, gate.RefusedInput: exitFailure,
	} {
		loop.refusal = refusal
		code, out, talk := serin(nil, "promote", "checkout", "--if-version", "3", "--admin", address)
		if code != want || out != "" || !strings.HasPrefix(talk, "serin: ") || !strings.Contains(talk, "hint: ") {
			t.Errorf("%s: exit %d, want %d: %s%s", refusal, code, want, out, talk)
		}
	}
}

func TestActs_Flags_ReachTheLoop(t *testing.T) {
	loop := &fakeLoop{rollouts: []control.RolloutStatus{holding()}}
	vars := map[string]string{"SERIN_ADMIN": daemonOf(t, loop), "USER": "ann"}
	code, out, _ := serin(vars, "promote", "checkout", "--full", "--if-version", "9", "--reason", "looks good")
	if code != 0 || out != "Done to checkout by ann.\n" {
		t.Errorf("exit %d %q", code, out)
	}
	serin(vars, "retry", "checkout", "--from-stage", "2")
	serin(vars, "step-back", "checkout")
	if len(loop.got) != 3 {
		t.Fatalf("the loop got %+v", loop.got)
	}
	if op := loop.got[0]; op.Verb != gate.VerbPromote || !op.Full || op.IfVersion == nil || *op.IfVersion != 9 || op.Reason != "looks good" || op.Actor != "ann" {
		t.Errorf("promote: %+v", op)
	}
	if op := loop.got[1]; op.Verb != gate.VerbRetry || op.FromStage != 2 || op.IfVersion != nil {
		t.Errorf("retry: %+v", op)
	}
	if loop.got[2].Verb != gate.VerbStepBack {
		t.Errorf("step-back: %+v", loop.got[2])
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
				code := e.report(e.wait(ctx, &then, tt.first, tt.revision))
				if took := time.Since(began); code != tt.want || took != tt.takes {
					t.Errorf("exit %d after %v, want %d after %v", code, took, tt.want, tt.takes)
				}
			})
		})
	}
}

func TestWatch_Text_IsOneLineAChange(t *testing.T) {
	var out bytes.Buffer
	w := watcher{env: &env{stdout: &out}, name: "a"}
	say := func(kind string, v any) error {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return w.on(admin.Event{Kind: kind, Data: raw, ID: "e-1"})
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
	if err := say("rollout", going); err != errEnded || w.env.report(w.end) != exitRolledBack {
		t.Errorf("ended with %v, %v", err, w.end)
	}
	if w.last != "e-1" {
		t.Errorf("the last event's id is not kept")
	}
	w.env.stderr = io.Discard
	if err := say("removed", map[string]string{"name": "a"}); err != errEnded || w.env.report(w.end) != exitFailure {
		t.Errorf("removed: %v, %v", err, w.end)
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
