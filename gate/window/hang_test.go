package window

import (
	"testing"
	"time"
)

// A canary that answers nothing at all has aborts and no judged request: its users are there all the same.
func TestCrowd_NothingButAborts_HasItsUsers(t *testing.T) {
	t.Parallel()
	m := NewMeter(Options{Kinds: []Kind{AbortKind}})
	for i := range 300 {
		m.Record(0, uint16(i%3), Abort, 10*time.Second)
	}
	var s Snapshot
	m.Read(&s, true)
	c := CrowdOf(AbortKind, nil, s.Users, nil)
	if c.ActiveCanary != 3 || c.BadBuckets != 3 || c.WorstCanary != (Counts{100, 100}) || c.HeaviestShare == 0 {
		t.Errorf("got %+v, want 3 buckets of 100 aborts", c)
	}
	mask := new(Mask)
	mask.Set(1)
	if c := CrowdOf(AbortKind, nil, s.Users, mask); c.ActiveCanary != 2 || c.BadBuckets != 2 {
		t.Errorf("masked: got %+v, want 2 buckets and 3 users", c)
	}
	tr := NewTracker(TrackerOptions{})
	tr.Add(time.Unix(0, 0), &Snapshot{Users: new(Users)}, &s)
	if v := tr.View(time.Unix(0, 0)); v.Crowds[All].ActiveCanary != 3 || v.Crowds[BadKind].ActiveCanary != 0 {
		t.Errorf("tracker: got %d active buckets, %d with answers, want 3 and 0", v.Crowds[All].ActiveCanary, v.Crowds[BadKind].ActiveCanary)
	}
}

// What is kept for a kind and has not counted anything yet is the same as a sweep over nothing.
func TestTracker_KindThatCountedNothing_HasEverybodyActive(t *testing.T) {
	t.Parallel()
	m := NewMeter(Options{Kinds: []Kind{ClientKind, AbortKind}})
	for i := range 300 {
		m.Record(0, uint16(i%3), ServerError, 0)
	}
	var s Snapshot
	m.Read(&s, true)
	tr := NewTracker(TrackerOptions{})
	tr.Add(time.Unix(0, 0), &Snapshot{Users: new(Users)}, &s)
	v := tr.View(time.Unix(0, 0))
	for _, k := range []Kind{ClientKind, AbortKind} {
		if want := CrowdOf(k, new(Users), s.Users, nil); v.Crowds[k] != want || want.ActiveCanary != 3 {
			t.Errorf("kind %d: got %+v, want %+v", k, v.Crowds[k], want)
		}
	}
	if got := v.Crowds[All]; got.ActiveCanary != 3 || got.BadBuckets != 0 {
		t.Errorf("all: got %+v", got)
	}
}
