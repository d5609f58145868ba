package window

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// story drives a Tracker with traffic that adds up.
type story struct {
	t              *testing.T
	tr             *Tracker
	now            time.Time
	stable, canary Snapshot
}

func newStory(t *testing.T, o TrackerOptions) *story {
	t.Helper()
	st := &story{t: t, tr: NewTracker(o), now: time.Unix(1000, 0)}
	st.tr.Add(st.now, &st.stable, &st.canary)
	return st
}

// run lets d pass in ticks of 5 s, with n stable and m canary requests of latency l a tick.
func (st *story) run(d time.Duration, n, m uint64, l time.Duration) {
	for range int(d / (5 * time.Second)) {
		st.now = st.now.Add(5 * time.Second)
		st.stable.Outcomes[Success] += n
		st.stable.Latency[BinOf(l)] += uint32(n)
		st.canary.Outcomes[Success] += m
		st.canary.Latency[BinOf(l)] += uint32(m)
		st.tr.Add(st.now, &st.stable, &st.canary)
	}
}

func (st *story) view() View { return st.tr.View(st.now) }

func TestTracker_Windows_NeverReachBeforeTheStep(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{})
	st.run(55*time.Second, 90, 10, time.Millisecond)
	if v := st.view(); v.W60.OK || v.W300.OK || !v.Full.OK || v.Full.Canary.Judged() != 110 {
		t.Errorf("after 55 s: %v %v, full %d", v.W60.OK, v.W300.OK, v.Full.Canary.Judged())
	}
	st.run(5*time.Second, 90, 10, time.Millisecond)
	if v := st.view(); !v.W60.OK || v.W60.Canary.Judged() != 120 || v.W60.Length != time.Minute {
		t.Errorf("after 60 s: %v with %d in %v", v.W60.OK, v.W60.Canary.Judged(), v.W60.Length)
	}
	st.run(10*time.Minute, 90, 10, time.Millisecond)
	v := st.view()
	if v.W60.Canary.Judged() != 120 || v.W300.Canary.Judged() != 600 || v.W300.Stable.Judged() != 5400 || v.Full.Canary.Judged() != 1320 {
		t.Errorf("after 11 min: %d, %d, %d", v.W60.Canary.Judged(), v.W300.Canary.Judged(), v.Full.Canary.Judged())
	}
	if r := v.Recent; !r.OK || r.Length != 5*time.Second || r.Canary.Judged() != 10 || r.Stable.Judged() != 90 {
		t.Errorf("recent: got %d and %d in %v", r.Stable.Judged(), r.Canary.Judged(), r.Length)
	}
	if v.Elapsed != 11*time.Minute || v.Full.Length != v.Elapsed {
		t.Errorf("elapsed: got %v and %v", v.Elapsed, v.Full.Length)
	}
	if len(st.tr.ring) > 64 {
		t.Errorf("the ring holds %d readings", len(st.tr.ring))
	}
}

func TestTracker_FastTicks_KeepFewReadings(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{Every: time.Second})
	for range 1000 {
		st.now = st.now.Add(time.Second)
		st.canary.Outcomes[Success]++
		st.tr.Add(st.now, &st.stable, &st.canary)
	}
	v := st.view()
	if len(st.tr.ring) > 64 || v.W60.Length < Short || v.W60.Length > Short+keepEvery || v.W300.Length > Long+keepEvery {
		t.Errorf("%d readings, windows of %v and %v", len(st.tr.ring), v.W60.Length, v.W300.Length)
	}
}

func TestTracker_PlainWindow_HasItsOwnLength(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{30 * time.Second, 5 * time.Minute, time.Hour} {
		st := newStory(t, TrackerOptions{Plain: length})
		st.run(length-5*time.Second, 90, 10, time.Millisecond)
		if st.view().Plain.OK {
			t.Errorf("%v: there before its time", length)
		}
		st.run(3*time.Hour, 90, 10, time.Millisecond)
		v := st.view()
		if got := v.Plain.Length; !v.Plain.OK || got < length || got > length+length/30 {
			t.Errorf("%v: got a window of %v", length, got)
		}
		if got, want := v.Plain.Canary.Judged(), uint64(v.Plain.Length/(5*time.Second))*10; got != want {
			t.Errorf("%v: got %d requests, want %d", length, got, want)
		}
		if v.W60.Length != Short || v.W300.Length != Long || len(st.tr.ring) > 64+62 {
			t.Errorf("%v: %v, %v, %d readings", length, v.W60.Length, v.W300.Length, len(st.tr.ring))
		}
	}
}

func TestTracker_WarmUp_LeavesLatencyOutButNotOutcomes(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{Warmup: 2 * time.Minute})
	st.run(time.Minute, 90, 0, time.Millisecond) // not yet: the warm-up begins with the canary's first request
	st.run(time.Minute, 90, 10, time.Second)
	if v := st.view(); v.Warm || v.Full.Canary.Latency.Count() != 0 || v.Full.Canary.Judged() != 120 || v.W60.Stable.Latency.Count() != 0 {
		t.Errorf("cold: warm %v, %d timed, %d judged", v.Warm, v.Full.Canary.Latency.Count(), v.Full.Canary.Judged())
	}
	if left := st.tr.WarmupLeft(); left != 65*time.Second {
		t.Errorf("left: got %v, want 65s", left)
	}
	st.run(65*time.Second, 90, 10, time.Second)
	if v := st.view(); !v.Warm || v.Full.Canary.Latency.Count() != 0 || st.tr.WarmupLeft() != 0 {
		t.Errorf("just warm: %v, %d timed", v.Warm, v.Full.Canary.Latency.Count())
	}
	st.run(30*time.Second, 90, 10, time.Millisecond)
	v := st.view()
	if v.Full.Canary.Latency.Count() != 60 || v.Full.Stable.Latency.Count() != 540 || v.W60.Canary.Latency.Count() != 60 {
		t.Errorf("warm for 30 s: full %d, 60 s window %d timed, want 60", v.Full.Canary.Latency.Count(), v.W60.Canary.Latency.Count())
	}
	if v.Full.Canary.Latency.Above(BinOf(time.Millisecond)) != 0 || v.W60.Canary.Judged() != 120 {
		t.Error("cold latencies came in, or outcomes fell out")
	}
	st.run(2*time.Minute, 90, 10, time.Millisecond)
	if v := st.view(); v.W60.Canary.Latency.Count() != 120 || v.Full.Canary.Latency.Count() != 300 {
		t.Errorf("long warm: %d and %d timed", v.W60.Canary.Latency.Count(), v.Full.Canary.Latency.Count())
	}
}

func TestTracker_Suspended_DropsWindowsKeepsTheTable(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{})
	st.run(6*time.Minute, 90, 10, time.Millisecond)
	st.now = st.now.Add(time.Hour)
	st.tr.Add(st.now, &st.stable, &st.canary)
	if v := st.view(); v.W60.OK || v.W300.OK || v.Full.Canary.Judged() != 720 {
		t.Errorf("after the gap: %v %v, full %d", v.W60.OK, v.W300.OK, v.Full.Canary.Judged())
	}
	st.run(time.Minute, 90, 10, time.Millisecond)
	if v := st.view(); !v.W60.OK || v.W60.Canary.Judged() != 120 || v.W300.OK {
		t.Errorf("a minute later: %v with %d", v.W60.OK, v.W60.Canary.Judged())
	}
}

func TestTracker_ClockThatStepsBack_StandsStill(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{})
	st.run(time.Minute, 9, 1, time.Millisecond)
	st.now = st.now.Add(-time.Hour)
	st.tr.Add(st.now, &st.stable, &st.canary)
	if v := st.view(); v.Elapsed != time.Minute || v.Full.Length != time.Minute {
		t.Errorf("got %v", v.Elapsed)
	}
}

func TestTracker_Restart_GoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	o := TrackerOptions{Warmup: 30 * time.Second, Before: Counts{5, 500}}
	st := newStory(t, o)
	st.stable.Users, st.canary.Users = drawSnapshot(1, true).Users, drawSnapshot(2, true).Users
	st.run(10*time.Minute, 90, 10, time.Millisecond)
	before := st.view()
	saved, err := json.Marshal(st.tr)
	if err != nil {
		t.Fatal(err)
	}
	again := NewTracker(o)
	if err := json.Unmarshal(saved, again); err != nil {
		t.Fatal(err)
	}
	st.tr = again
	st.stable.Users, st.canary.Users = nil, nil // lost: the last crowds stay
	st.now = st.now.Add(7 * time.Hour)          // downtime does not count
	st.tr.Add(st.now, &st.stable, &st.canary)
	after := st.view()
	if after.W60.OK || after.W300.OK || after.Recent.OK {
		t.Error("windows reach across the restart")
	}
	before.W60, before.W300, before.Recent = Span{}, Span{}, Span{}
	if !reflect.DeepEqual(after, before) {
		t.Errorf("got %v elapsed, warm %v, %d timed, %+v", after.Elapsed, after.Warm, after.Full.Canary.Latency.Count(), after.Crowds[BadKind])
	}
	st.run(time.Minute, 90, 10, time.Millisecond)
	if v := st.view(); v.Elapsed != 11*time.Minute || !v.W60.OK {
		t.Errorf("a minute later: %v, %v", v.Elapsed, v.W60.OK)
	}
}

func TestTracker_BrokenState_IsAnErrorAndChangesNothing(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"elapsed":-1}`, `{"elapsed":"x"}`, `[]`, `{"warm_stable":{"outcomes":[]}}`, `{"warm_stable":{"latency":"AA=="}}`} {
		tr := NewTracker(TrackerOptions{Warmup: time.Second})
		want := tr.state
		if json.Unmarshal([]byte(raw), tr) == nil || !reflect.DeepEqual(tr.state, want) {
			t.Errorf("%s: no error, or changed the tracker", raw)
		}
	}
}

func TestTracker_EffectiveThen_IsThatOfHalfTheTime(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{})
	st.stable.Users, st.canary.Users = zeroUsers(), zeroUsers()
	st.run(20*time.Minute, 90, 10, time.Millisecond)
	if got := st.view().EffectiveThen; got < 1080 || got > 1200 {
		t.Errorf("got %v, want about 1,200 (of 2,400 now)", got)
	}
}

func TestTracker_Crowds_AreNotSweptAllTheTime(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{Every: 100 * time.Millisecond})
	st.canary.Users = usersOf(func(ns, xs []uint32) { ns[1], xs[1] = 10, 1 })
	st.stable.Users = zeroUsers()
	st.now = st.now.Add(100 * time.Millisecond)
	st.tr.Add(st.now, &st.stable, &st.canary)
	if got := st.view().Crowds[BadKind].BadBuckets; got != 1 {
		t.Errorf("first sweep: got %d bad buckets, want 1", got)
	}
	if got := st.view().Crowds[All]; got.ActiveCanary != 1 || got.DesignEffect != 1 {
		t.Errorf("all requests: got %+v", got)
	}
	st.canary.Users[All][2], st.canary.Users[BadKind][2] = 10, 1
	st.canary.Outcomes[ServerError]++
	st.now = st.now.Add(100 * time.Millisecond)
	st.tr.Add(st.now, &st.stable, &st.canary)
	if got := st.view().Crowds[BadKind].BadBuckets; got != 1 {
		t.Errorf("0.1 s later: got %d bad buckets, want 1 still", got)
	}
	st.now = st.now.Add(900 * time.Millisecond)
	st.tr.Add(st.now, &st.stable, &st.canary)
	if got := st.view().Crowds[BadKind].BadBuckets; got != 2 {
		t.Errorf("a second later: got %d bad buckets, want 2", got)
	}
}

func TestTracker_TicksThatComeEarly_StillSeeTheNewestCrowds(t *testing.T) {
	t.Parallel()
	st := newStory(t, TrackerOptions{Every: time.Second})
	st.canary.Users, st.stable.Users = zeroUsers(), zeroUsers()
	for i, tick := range []time.Duration{1000, 999, 1001, 1700, 300, 990} { // milliseconds
		st.canary.Users[All][7] += 10
		st.canary.Users[BadKind][7] += 6
		st.canary.Outcomes[ServerError] += 6
		st.canary.Outcomes[Success] += 4
		st.now = st.now.Add(tick * time.Millisecond)
		st.tr.Add(st.now, &st.stable, &st.canary)
		v := st.view()
		if got, want := v.Crowds[BadKind].WorstCanary.X, float64(6*(i+1)); got != want {
			t.Errorf("tick %d: got %v errors of the worst bucket, want %v, all the canary has", i+1, got, want)
		}
	}
}

func TestTracker_BeforeTheFirstReading_ShowsNothing(t *testing.T) {
	t.Parallel()
	v := NewTracker(TrackerOptions{}).View(time.Unix(5, 0))
	if v.Full.OK || v.Elapsed != 0 || v.Crowds[BadKind].DesignEffect != 1 {
		t.Errorf("got %+v", v.Crowds[BadKind])
	}
}

func BenchmarkTracker_AddAndView(b *testing.B) {
	tr, now := NewTracker(TrackerOptions{}), time.Unix(0, 0)
	var s, c Snapshot
	for b.Loop() {
		now = now.Add(time.Second)
		tr.Add(now, &s, &c)
		v := tr.View(now)
		_ = v.Elapsed
	}
}
