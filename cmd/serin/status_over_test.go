package main

import (
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/proxy/admin"
)

func TestStatus_RolledBack_HasNoVerdictAndNothingToWaitFor(t *testing.T) {
	t.Parallel()
	seconds := 4.
	ro := admin.Rollout{Name: "shop", Phase: "rolled_back", Verdict: "hold", Reason: "worse_than_stable", Sentence: "Everybody is on stable."}
	ro.Stage.Index, ro.Stage.Count = 1, 3
	ro.Gates = []admin.Gate{{Metric: "error_rate", Verdict: gate.Fail}, {Metric: "latency_p95", Verdict: gate.Hold, PassNeeds: 20, ExpectedSeconds: &seconds}}
	status := strings.Join(statusText(ro), "\n")
	if strings.Contains(status, "HOLD") || !strings.Contains(status, "stage 1/3  worse than stable") {
		t.Errorf("a rolled-back rollout is told to hold:\n%s", status)
	}
	why := strings.Join(whyText(ro, time.Now()), "\n")
	if strings.Contains(why, "at this traffic") || !strings.Contains(why, "only a new attempt") {
		t.Errorf("a rolled-back rollout waits for evidence:\n%s", why)
	}
	ro.Phase = "progressing"
	if status = strings.Join(statusText(ro), "\n"); !strings.Contains(status, "HOLD") {
		t.Errorf("a running rollout lacks its verdict:\n%s", status)
	}
}
