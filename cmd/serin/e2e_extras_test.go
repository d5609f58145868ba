package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"serin/proxy/admin"
)

// oneStage is 50 %, for long, with what a test adds.
const oneStage = `
[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
every  = "1h"
warmup = "1s"
%s
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 5pt"
`

func startStage(t *testing.T, body string, stable, canary behaviour) *scene {
	t.Helper()
	s := &scene{site: newSite(t)}
	s.v1, s.v2 = startSample(t, "v1", stable), startSample(t, "v2", canary)
	s.daemonProcess = startDaemon(t, s.site, s.site.config(t, fmt.Sprintf(oneStage, s.v1.Address, s.v2.Address, body)))
	return s
}

// drillUntil waits until ok holds for the drills of the rollout.
func (s *scene) drillUntil(limit time.Duration, ok func(admin.Drill) bool) admin.Drill {
	s.t.Helper()
	for end := time.Now().Add(limit); ; <-time.After(100 * time.Millisecond) {
		d, err := s.Client.Drills(context.Background(), "shop")
		if err == nil && ok(d) {
			return d
		}
		if time.Now().After(end) {
			s.t.Fatalf("after %v: %+v %+v, %v", limit, d.Running, d.Last, err)
		}
	}
}

func TestE2E_Drill_KilledInTheMiddle_EndsWhenItWouldHave(t *testing.T) {
	t.Parallel()
	s := startStage(t, `ladder = ["50%", "100%"]`, fail(0), fail(0))
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .5 })
	s.crowd(100)
	ctx := context.Background()
	if _, err := s.Client.Drill(ctx, "shop", admin.DrillOrder{Delay: .3, DelayMS: 20, ForSeconds: 12, Actor: "alice"}); err != nil {
		t.Fatal(err)
	}
	began := s.drillUntil(5*time.Second, func(d admin.Drill) bool { return d.Running != nil && d.Running.Injected.Delayed > 0 }).Running
	s.Signal(syscall.SIGKILL)
	<-time.After(2 * time.Second)
	s.daemonProcess = startDaemon(t, s.site, s.File)
	d := s.drillUntil(10*time.Second, func(d admin.Drill) bool { return d.Running != nil || d.Last != nil })
	if d.Running == nil || d.Running.Restarts != 1 || d.Running.RemainingSeconds > time.Until(began.Until).Seconds()+.5 {
		t.Fatalf("after the restart %+v, until %v", d.Running, began.Until)
	}
	last := s.drillUntil(20*time.Second, func(d admin.Drill) bool { return d.Running == nil && d.Last != nil }).Last
	if last.End != "time" || last.Passed || last.EndedAt.After(began.Until.Add(4*time.Second)) {
		t.Errorf("it ended at %v, meant for %v: %+v", last.EndedAt, began.Until, last)
	}
	s.leave()
	if ro, err := s.Client.Rollout(ctx, "shop"); err != nil || ro.Weight != .5 || ro.Arms.Canary.Errors != 0 {
		t.Errorf("the rollout was touched: %+v, %v", ro.Arms.Canary, err)
	}
}

func TestE2E_Shield_CanaryFailures_ReachNoUserAndTheGateAll(t *testing.T) {
	t.Parallel()
	s := startStage(t, "ladder = [\"20%\", \"100%\"]\nshield = true", fail(0), fail(.5))
	s.crowd(200)
	ro := s.Follow(60*time.Second, func(ro admin.Rollout) bool { return ro.Phase == "rolled_back" })
	s.leave()
	seen := s.load.Ledger()
	if seen.Failed != 0 || seen.Broken != 0 {
		t.Errorf("%d of %d requests failed, %d broke: the canary's failures came through", seen.Failed, seen.Sent, seen.Broken)
	}
	text := metricsOf(t, s.site.admin)
	saved := fmt.Sprintf(`serin_shield_requests_total{rollout="shop",result="saved"} %d`, ro.Exposure.Failed)
	if ro.Exposure.Failed == 0 || !strings.Contains(text, saved+"\n") {
		t.Errorf("the gate counted %d failures; want as many saved:\n%s", ro.Exposure.Failed, text)
	}
}

func TestE2E_Mirror_CanaryDies_UsersNoticeNothing(t *testing.T) {
	t.Parallel()
	s := startStage(t, "[rollout.shop.mirror]\nignore = [\"$.version\"]\n[[rollout.shop.stage]]\nmirror = \"100%\"\n[[rollout.shop.stage]]\nweight = \"100%\"\n"+
		"[[rollout.shop.gate]]\nmetric = \"mismatch_rate\"\nhold = \"1%\"", fail(0), fail(0))
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Phase == "progressing" })
	s.crowd(200)
	ctx := context.Background()
	look := func(what string, ok func(admin.Mirror) bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; <-time.After(100 * time.Millisecond) {
			m, err := s.Client.Mirror(ctx, "shop")
			if err == nil && ok(m) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %+v, %v", what, m, err)
			}
		}
	}
	look("a good shadow", func(m admin.Mirror) bool {
		return m.Learned && m.Requests["match"] > 200 && m.Requests["mismatch"] == 0
	})
	s.v2.Kill()
	look("a dead shadow", func(m admin.Mirror) bool { return m.Requests["failed"] > 50 })
	s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Phase == "holding" })
	s.leave()
	if seen := s.load.Ledger(); seen.Failed != 0 || seen.Broken != 0 || seen.Versions["v2"] != 0 {
		t.Errorf("the users noticed: %+v", seen)
	}
}

// metricsOf is what Prometheus would read.
func metricsOf(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
