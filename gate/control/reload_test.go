package control

import (
	"testing"
	"testing/synctest"
	"time"

	"serin/gate"
)

func TestReload_Answered_IsInTheStatus(t *testing.T) {
	f := func(disk, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			g := &scripted{verdict: gate.Pass}
			p := w.start(t, planOf(policy("checkout", g), policy("search", g)))
			defer p.end()
			ticks(15)
			w.setSlow("sync", disk)
			began := time.Now()
			if err := p.Reload(t.Context(), planOf(policy("search", g))); err != nil {
				t.Fatal(err)
			}
			if list := p.Status().Rollouts; len(list) != 1 || list[0].Name != "search" {
				t.Errorf("a disk of %s: the status after the answer has %d rollouts", disk, len(list))
			}
			if took := time.Since(began); took > want+2*time.Millisecond {
				t.Errorf("a disk of %s: answered after %s, want %s", disk, took, want)
			}
		})
	}
	f(0, 0)
	f(300*time.Millisecond, 300*time.Millisecond)
	f(10*time.Second, 2*time.Second) // longer than that nothing waits for a disk
}
