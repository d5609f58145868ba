package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"serin/gate"
	"serin/gate/control"
	"serin/gate/experiment"
	"serin/gate/journal"
	"serin/proxy/admin"
)

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
		{"status a b", exitUsage, "status takes one name, got 2"},
		{"check serin.toml", exitUsage, `check takes no argument, got "serin.toml"`},
		{"check serin.toml", exitUsage, "-c FILE"},
		{"completion nosuch", exitUsage, `no verb "nosuch"`},
		{"completion zs", exitUsage, "did you mean zsh?"},
		{"completion", exitOK, ""},
		{"help nosuch", exitUsage, `no verb "nosuch"`},
		{"help status", exitOK, ""},
		{"--version", exitOK, ""},
		{"status -o yaml", exitUsage, "text or json"},
		{"status --flag", exitUsage, "unknown flag"},
		{"status --flag", exitUsage, "serin status --help lists its flags"},
		{"rollback a --raeson x", exitUsage, "did you mean --reason?"},
		{"--verison", exitUsage, "did you mean --version?"},
		{"run --confg x", exitUsage, "did you mean --config?"},
		{"pause a --reason", exitUsage, "--reason needs a value"},
		{"status -o", exitUsage, "-o needs a value"},
		{"check --rps abc", exitUsage, `--rps "abc" is no number`},
		{"wait a --timeout 20", exitUsage, `--timeout "20" is no duration`},
		{"wait a --timeout 20", exitUsage, "20m or 1h30m"},
		{"pause a --if-version x", exitUsage, `--if-version "x" is no whole number`},
		{"config efective", exitUsage, "did you mean effective?"},
		{"demo servce", exitUsage, "did you mean service?"},
		{"status --admin foo:bar", exitUsage, `"foo:bar"`},
		{"status --admin 127.0.0.1:99999", exitUsage, `"127.0.0.1:99999"`},
		{"staus", exitUsage, "did you mean start or status?"},
		{"nonsense", exitUsage, "no verb"},
		{"config effectiv", exitUsage, "did you mean effective?"},
		{"why", exitUsage, "they are a, b, c, d"},
		{"why a", exitOK, ""},
		{"log", exitUsage, "name one"},
		{"log a --since tomorrow", exitUsage, "neither a duration"},
		{"log a --since -1h", exitUsage, "neither a duration"},
		{"log a --limit -1", exitUsage, "out of range"},
		{"log a --limit x", exitUsage, `--limit "x" is no whole number`},
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
		{"rollback --all a", exitUsage, "either a name or --all"},
		{"pause nope", exitFailure, `no rollout "nope"`},
		{"pause a --if-version -1", exitUsage, "no whole number"},
		{"pause a --full", exitUsage, "unknown flag"},
		{"promote a --full --reason because --if-version 0", exitOK, ""},
		{"retry a --from-stage -1", exitUsage, "counted from 1"},
		{"retry a --from-stage 0", exitUsage, "counted from 1"},
		{"drill a --for 30s", exitUsage, "--for without a fault"},
		{"drill a --header X-Drill", exitUsage, "--header without a fault"},
		{"drill a --abort 99=20%", exitUsage, "500 to 599"},
		{"drill a --abort 503=20% --for 2h", exitUsage, "from 1s to 1h"},
		{"rollback", exitUsage, "needs the name"},
		{"rollback --all", exitOK, ""},
		{"run --stable 127.0.0.1:1", exitUsage, "--canary is missing"},
		{"run --listen 127.0.0.1:1", exitUsage, "--stable and --canary are missing"},
		{"run --stable nowhere --canary 127.0.0.1:1", exitUsage, "--stable: \"nowhere\" has no port"},
		{"run", exitUsage, "nothing to run"},
		{"run -c " + bad, exitConfig, "listen"},
		{"check", exitUsage, "no configuration file"},
		{"check -c /nonexistent/serin.toml", exitConfig, "invalid"},
		{"check -c " + bad, exitConfig, "listen"},
		{"check -c " + bad + " --rps -1", exitUsage, "no traffic"},
		{"check -c " + bad + " --error-rate 200%", exitUsage, "no share"},
		{"config effective -c " + bad, exitConfig, "invalid"},
		{"config schema -o toml", exitUsage, "json or markdown"},
		{"simulate", exitUsage, "needs the traffic"},
		{"simulate --rps 10", exitUsage, "no configuration file"},
		{"simulate --rps 10 --canary-error 101%", exitUsage, "no share"},
		{"simulate --rps 10 --runs 0", exitUsage, "out of range"},
		{"simulate --rps NaN", exitUsage, "needs the traffic"},
		{"simulate --rps 10 -c " + bad, exitConfig, "invalid"},
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

// stopper hears which arms are to be stopped.
type stopper struct{ stops []experiment.Stop }

func (s *stopper) StopArm(_ context.Context, name string, stop experiment.Stop) (gate.Decision, journal.Entry, error) {
	s.stops = append(s.stops, stop)
	return gate.Decision{Action: gate.ActStopArm}, journal.Entry{ID: name + "-1-2", Sentence: "Stopped " + stop.Arm + "."}, nil
}

func TestRollback_OfAnArm_StopsThatArm(t *testing.T) {
	trials := new(stopper)
	vars := map[string]string{"SERIN_ADMIN": serve(t, admin.Options{Loop: &fakeLoop{}, Trials: trials}), "USER": "ann"}
	code, out, talk := serin(vars, "rollback", "button", "--arm", "red", "--reason", "odd")
	if code != exitOK || out != "Stopped red.\n" || len(trials.stops) != 1 {
		t.Fatalf("exit %d: %s%s, stops %+v", code, out, talk, trials.stops)
	}
	if got := trials.stops[0]; got != (experiment.Stop{Arm: "red", Actor: "ann", Reason: "odd"}) {
		t.Errorf("got %+v", got)
	}
	for _, line := range []string{"rollback button --arm=", "rollback --all --arm red", "rollback button --arm red --if-version 3"} {
		if code, _, talk := serin(vars, strings.Fields(line)...); code != exitUsage || !strings.Contains(talk, "one arm of one experiment") {
			t.Errorf("%s: exit %d %s", line, code, talk)
		}
	}
	if len(trials.stops) != 1 {
		t.Errorf("stopped %+v", trials.stops)
	}
}
