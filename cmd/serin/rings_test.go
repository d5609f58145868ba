package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"serin/config"
	"serin/gate/control"
	"serin/gate/window"
	"serin/proxy"
	"serin/router"
)

func TestRingsOf_SamePeople_KeepTheirPast(t *testing.T) {
	t.Parallel()
	rollout := func(rings ...config.Ring) *config.Rollout {
		p, problems := config.Zero("127.0.0.1:1", "127.0.0.1:2", "", config.Options{})
		if p == nil {
			t.Fatal(problems)
		}
		p.Rollouts[0].Rings = rings
		return &p.Rollouts[0]
	}
	house, beta := config.Ring{Name: "house", Digest: "1"}, config.Ring{Name: "beta", Digest: "1"}
	if r := ringsOf(rollout(), control.Setting{}, nil); r != nil {
		t.Errorf("a ladder without rings has %+v", r)
	}
	ro := rollout(house, beta)
	one := control.Setting{Step: 1, Audiences: []string{"house"}, Ring: "house"}
	first := ringsOf(ro, one, nil)
	if first.Evidence != 1 || first.Settled != router.Stable || len(first.Past) != 3 || openRings(ro, one) != 0b01 {
		t.Errorf("got %+v, open %b", first, openRings(ro, one))
	}
	generation := func(ro *config.Rollout, s control.Setting, r *proxy.Rings) *installed {
		return &installed{
			plan: &config.Plan{Rollouts: []config.Rollout{*ro}}, ids: map[string]int{ro.Name: 0},
			settings: map[string]control.Setting{ro.Name: s}, snap: &proxy.Snapshot{Splits: []*proxy.Split{{Rings: r}}},
		}
	}
	old := generation(ro, one, first)
	two := control.Setting{Step: 2, Weight: 100, Audiences: []string{"house", "beta"}}
	next := ringsOf(ro, two, old)
	if next.Past[0] != first.Past[0] || next.Past[2] != first.Past[2] || next.Members == first.Members || next.Evidence != 0 || openRings(ro, two) != 0b11 {
		t.Errorf("another stage: got %+v", next)
	}
	if again := ringsOf(ro, one, old); again.Members != first.Members {
		t.Error("a reload in the same step begins its members anew")
	}
	if done := ringsOf(ro, control.Setting{Step: 3, Weight: router.Full}, old); done.Settled != router.Canary {
		t.Error("completed: the version in service is the canary's")
	}
	changed := rollout(house, config.Ring{Name: "beta", Digest: "2"})
	if other := ringsOf(changed, one, old); other.Past[1] == first.Past[1] {
		t.Error("other people count into the meters of those before")
	}
}

func TestReadRings_OnlyWhatIsNew_IsRead(t *testing.T) {
	t.Parallel()
	r := &proxy.Rings{Members: window.NewMeter(window.Options{Users: true}), Past: []*window.Meter{window.NewMeter(window.Options{Users: true})}}
	var reading control.Reading
	readRings(r, &reading)
	r.Members.Record(0, 7, window.Success, time.Millisecond)
	r.Past[0].Record(0, 9, window.ServerError, 0)
	readRings(r, &reading)
	if reading.Members.Judged() != 1 || reading.Past[0].Bad() != 1 || reading.Past[0].Users[window.BadKind][9] != 1 {
		t.Errorf("got %+v, %+v", reading.Members.Outcomes, reading.Past[0].Outcomes)
	}
	readRings(nil, &reading)
	if reading.Members != nil || reading.Past != nil {
		t.Error("a ladder that lost its rings is read all the same")
	}
}

// TestBesides_ChangedFile_IsANotice uses real files and real time: inotify knows no other.
func TestBesides_ChangedFile_IsANotice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(one, "alice")
	write(two, "bob")
	b := newBesides()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	notice := func(what string) {
		t.Helper()
		select {
		case <-b.changes:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: no notice", what)
		}
	}
	b.Follow([]string{one}, time.Now().Add(-time.Hour))
	notice("a file that changed since it was read")
	write(one, "alice\ncarol")
	notice("a file that changes")
	b.Follow([]string{two}, time.Now().Add(time.Hour))
	b.Follow([]string{filepath.Join(dir, "absent")}, time.Now())
	notice("a file that is gone")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}
