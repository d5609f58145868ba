package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"serin/proxy/admin"
)

// longLadder stays at its first stage for the length of a test.
var longLadder = strings.Replace(ladderOf5, `every  = "10s"`, `every  = "10m"`, 1)

func TestE2E_TwoHundredReloadsUnderLoad_NoRequestFailsAndNoWeightMoves(t *testing.T) {
	t.Parallel()
	s := stage(t, longLadder, 300, 0, 0)
	began := s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .05 })
	valid := fmt.Sprintf(longLadder, s.v1.Address, s.v2.Address)
	ctx := context.Background()
	for i := range 100 {
		s.site.config(t, valid+fmt.Sprintf("\n# generation %d\n", i))
		if _, err := s.Client.Reload(ctx); err != nil {
			t.Fatalf("reload %d of a valid file: %v", i, err)
		}
		s.site.config(t, strings.Replace(valid, `canary = "v2"`, `canary = "v3"`, 1))
		_, err := s.Client.Reload(ctx)
		var refused *admin.StatusError
		if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || len(refused.Problems) != 1 || refused.Problems[0].Key != "rollout.shop.canary" {
			t.Fatalf("reload %d of an invalid file answered %v, want 400 with the one problem", i, err)
		}
	}
	now, err := s.Client.Rollout(ctx, "shop")
	if err != nil {
		t.Fatal(err)
	}
	if now.Weight != .05 || now.Attempt != began.Attempt || now.Stage.Index != 1 || now.Arms.Stable.Requests < began.Arms.Stable.Requests {
		t.Errorf("after the reloads: weight %v, attempt %d, stage %d with %d stable requests; before: %v, %d, %d with %d",
			now.Weight, now.Attempt, now.Stage.Index, now.Arms.Stable.Requests, began.Weight, began.Attempt, began.Stage.Index, began.Arms.Stable.Requests)
	}
	s.leave()
	seen := s.load.Ledger()
	t.Logf("%d requests during 200 reloads, %d failed", seen.Sent, seen.Failed)
	if seen.Failed != 0 {
		t.Errorf("%d of %d requests failed: %s", seen.Failed, seen.Sent, seen.FirstBroken)
	}
}

func TestE2E_KilledAtRandomInstants_WeightNeverAboveTheLastDecided(t *testing.T) {
	t.Parallel()
	quick := strings.NewReplacer(`every  = "10s"`, `every  = "1s"`, `rollback = "stable + 2pt"`, `rollback = "stable + 20pt"`, `hold     = "stable + 0.5pt"`, `hold     = "stable + 20pt"`).Replace(ladderOf5)
	s := stage(t, quick, 300, 0, 0)
	attempt, stage := 1, 0
	for i := range 20 {
		<-time.After(time.Duration(rand.IntN(1200)) * time.Millisecond)
		s.Signal(syscall.SIGKILL)
		s.daemonProcess = startDaemon(t, s.site, s.File)
		decisions, err := s.Client.Decisions(context.Background(), "shop", time.Time{}, 1)
		if err != nil || len(decisions) == 0 {
			t.Fatalf("kill %d: %d decisions, %v", i, len(decisions), err)
		}
		ro, err := s.Client.Rollout(context.Background(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Client.Decisions(context.Background(), "shop", time.Time{}, 1); err != nil || again[0].ID != decisions[0].ID {
			continue // it decided between our two looks
		}
		if ro.Weight > decisions[0].To {
			t.Fatalf("kill %d: weight %v, the last decision was %v -> %v", i, ro.Weight, decisions[0].From, decisions[0].To)
		}
		if ro.Attempt != attempt || ro.Stage.Index < stage {
			t.Fatalf("kill %d: attempt %d at stage %d, before %d at %d", i, ro.Attempt, ro.Stage.Index, attempt, stage)
		}
		stage = ro.Stage.Index
	}
	ro := s.Follow(120*time.Second, func(ro admin.Rollout) bool { return ro.Phase == "completed" })
	t.Logf("completed in attempt %d after 20 kills", ro.Attempt)
}

func TestE2E_RolledBackThenKilled_StaysRolledBackUntilRetry(t *testing.T) {
	t.Parallel()
	s := stage(t, ladderOf5, 300, 0, .3)
	s.Follow(60*time.Second, func(ro admin.Rollout) bool { return ro.Phase == "rolled_back" })
	s.Signal(syscall.SIGKILL)
	s.daemonProcess = startDaemon(t, s.site, s.File)
	ro, err := s.Client.Rollout(context.Background(), "shop")
	if err != nil || ro.Phase != "rolled_back" || ro.Weight != 0 {
		t.Fatalf("after the kill: %s at %v, %v", ro.Phase, ro.Weight, err)
	}
	s.v2.Behave(fail(0))
	if _, err := s.Client.Act(context.Background(), "shop", "retry", admin.Act{Reason: "the till was mended"}); err != nil {
		t.Fatal(err)
	}
	ro = s.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .05 })
	if ro.Attempt != 2 {
		t.Errorf("attempt %d after a retry, want 2", ro.Attempt)
	}
}

func TestE2E_SIGTERMUnderLoad_NoAcceptedRequestIsLost(t *testing.T) {
	t.Parallel()
	s := stage(t, longLadder, 1, 0, 0)
	s.v1.Behave(behaviour{Median: 40 * time.Millisecond, Sigma: .5})
	var mu sync.Mutex
	answered, refused := 0, 0
	var lost []string
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 20 * time.Second}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				resp, err := client.Get(s.Listen + "/basket")
				mu.Lock()
				switch {
				case err == nil && resp.StatusCode == http.StatusOK:
					answered++
				case errors.Is(err, syscall.ECONNREFUSED):
					refused++
				case err == nil:
					lost = append(lost, resp.Status)
				default:
					lost = append(lost, err.Error())
				}
				mu.Unlock()
				if err != nil {
					return
				}
				resp.Body.Close()
			}
		})
	}
	<-time.After(2 * time.Second)
	began := time.Now()
	code := s.Signal(syscall.SIGTERM)
	took := time.Since(began)
	cancel()
	wg.Wait()
	t.Logf("%d answered, %d refused after the listener had closed, drained in %.0f ms, exit %d", answered, refused, float64(took)/1e6, code)
	if code != 0 || len(lost) != 0 || answered == 0 {
		t.Errorf("exit %d, %d of %d lost: %v", code, len(lost), answered, lost)
	}
}

func TestE2E_InvalidFileAtStart_Exit78AndEveryProblem(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	file := s.config(t, `
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[rollout.shop]
stable = "v1"
canary = "v22"
ladder = ["5%", "100%"]
evry   = "15m"
[[rollout.shop.gate]]
metric = "error_rate"
hold   = "a little"
`)
	out, code := runBinary(t, path, "run", "-c", file)
	for _, want := range []string{`rollout.shop.canary`, `did you mean "v2"`, `rollout.shop.evry`, `did you mean "every"`, `rollout.shop.gate`, `serin.toml:14`} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	if code != 78 {
		t.Errorf("exit %d, want 78", code)
	}
}

func TestE2E_StateDirectoryInUse_ClearError(t *testing.T) {
	t.Parallel()
	s := stage(t, longLadder, 1, 0, 0)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	other := newSite(t)
	text, err := os.ReadFile(s.File)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.NewReplacer(s.site.listen, other.listen, s.site.admin, other.admin).Replace(string(text))
	file := other.dir + "/serin.toml"
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := runBinary(t, path, "run", "-c", file, "--wait", "0s")
	if code != 1 || !strings.Contains(out, "in use by another process") || !strings.Contains(out, "hint: state.dir") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
