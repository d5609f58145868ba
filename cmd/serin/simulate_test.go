package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ladder is a small file to plan and to simulate.
const ladder = `[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[rollout.checkout]
stable = "v1"
canary = "v2"
ladder = ["5%", "25%", "100%"]
every = "5m"
[[rollout.checkout.gate]]
metric = "error_rate"
hold = "stable + 0.5pt"
rollback = "stable + 2pt"
`

func ladderFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serin.toml")
	if err := os.WriteFile(path, []byte(ladder), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSimulate_BadAndGoodCanary_EndAsTheyShould(t *testing.T) {
	file := ladderFile(t)
	play := func(canary string) simulated {
		t.Helper()
		code, out, talk := serin(nil, "simulate", "-c", file, "--rps", "200", "--canary-error", canary, "--runs", "5", "-o", "json")
		var answer map[string][]simulated
		if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 0 || talk != "" {
			t.Fatalf("exit %d %v: %s%s", code, err, out, talk)
		}
		return answer["rollouts"][0]
	}
	if x := play("10%"); x.RolledBack != 5 || x.Example.Outcome != "rolled_back" || x.RollbackSeconds.Median <= 0 || x.FailedRequests.Median == 0 {
		t.Errorf("a canary that fails 10 %%: %+v", x)
	}
	if x := play("1%"); x.Completed != 5 || x.DurationSeconds.Median < 15*60 {
		t.Errorf("a canary like stable: %+v", x)
	}
}

func TestSimulate_HangingCanary_IsCaughtByItsTimeouts(t *testing.T) {
	file := ladderFile(t)
	code, out, talk := serin(nil, "simulate", "-c", file, "--rps", "200", "--canary-hangs", "50%", "--runs", "3")
	if code != 0 || talk != "" || !strings.Contains(out, "does not answer") || !strings.Contains(out, "0 completed, 3 rolled back") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	code, out, _ = serin(nil, "simulate", "-c", file, "--rps", "200", "--canary-hangs", "50%", "--patience", "10s", "--runs", "3")
	if code != 0 || !strings.Contains(out, "leave after 10 s") || strings.Contains(out, "3 rolled back") {
		t.Errorf("an error gate sees clients that go away: exit %d\n%s", code, out)
	}
	for _, bad := range [][]string{{"--canary-hangs", "150%"}, {"--patience", "-1s"}} {
		if code, _, _ := serin(nil, append([]string{"simulate", "-c", file, "--rps", "200"}, bad...)...); code != exitUsage {
			t.Errorf("%v: exit %d", bad, code)
		}
	}
}

func TestSimulate_Text_FitsATerminal(t *testing.T) {
	code, out, talk := serin(nil, "simulate", "-c", ladderFile(t), "--rps", "200", "--canary-error", "10%", "--canary-slower", "1.5", "--onset", "10m", "--runs", "3")
	if code != 0 || talk != "" || !strings.Contains(out, "3 runs: ") || !strings.Contains(out, "rollback") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	narrow(t, out)
}

func TestCheck_ValidFile_PrintsThePlan(t *testing.T) {
	file := ladderFile(t)
	code, out, talk := serin(nil, "check", "-c", file, "--rps", "200", "--error-rate", "1%")
	if code != 0 || !strings.Contains(out, "stage 1 (5 % -> 25 %)") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	narrow(t, out)
	code, out, _ = serin(nil, "check", "-c", file, "--rps", "200", "-o", "json")
	var a checkAnswer
	if json.Unmarshal([]byte(out), &struct{ Valid *bool }{&a.Valid}) != nil || code != 0 || !a.Valid {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestCheck_InvalidFile_NamesEveryProblemWithItsLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "serin.toml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(ladder, `canary = "v2"`, `canary = "v22"`)+"\n[upstreem.x]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, talk := serin(nil, "check", "-c", file)
	if code != exitConfig || out != "" || !strings.Contains(talk, file+":7: rollout.checkout.canary: ") || !strings.Contains(talk, "upstreem") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	code, out, _ = serin(nil, "check", "-c", file, "-o", "json")
	if code != exitConfig || !json.Valid([]byte(out)) || !strings.Contains(out, `"valid": false`) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestCheck_StageBeyondReach_IsRefusedWithWhatHelps(t *testing.T) {
	code, out, talk := serin(nil, "check", "-c", ladderFile(t), "--rps", "0.5")
	if code != exitConfig || !strings.Contains(talk, "cannot be judged") || !strings.Contains(out, "max_stage") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
}

func TestConfigEffective_OfAFile_IsValidAgain(t *testing.T) {
	code, out, talk := serin(nil, "config", "effective", "-c", ladderFile(t))
	if code != 0 || talk != "" {
		t.Fatalf("exit %d %s", code, talk)
	}
	code, asJSON, _ := serin(nil, "config", "effective", "-o", "json", "-c", ladderFile(t))
	var tree map[string]any
	if err := json.Unmarshal([]byte(asJSON), &tree); code != 0 || err != nil || !strings.Contains(asJSON, `"ladder": [`) {
		t.Errorf("as JSON: exit %d, %v\n%s", code, err, asJSON)
	}
	again := filepath.Join(t.TempDir(), "effective.toml")
	if err := os.WriteFile(again, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, talk := serin(nil, "check", "-c", again, "--rps", "200"); code != 0 {
		t.Errorf("exit %d\n%s\n%s", code, talk, out)
	}
}

func TestSimulate_GatesThatNothingAnswers_AreLeftOutAndNamed(t *testing.T) {
	path := ladderFile(t)
	more := ladder + "[[rollout.checkout.gate]]\nmetric = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n[[rollout.checkout.gate]]\nmetric = \"signal.done\"\nhold = \"stable + 1pt\"\n"
	if err := os.WriteFile(path, []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, talk := serin(nil, "simulate", "-c", path, "--rps", "200", "--runs", "3")
	if code != 0 || !strings.Contains(out, "virtual time: webhook, signal.done") || !strings.Contains(out, "3 runs: 3 completed") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
}
