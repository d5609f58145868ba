package control

import (
	"encoding/json"
	"testing"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
)

// members is what a data plane would read: a meter for everybody else and for each ring.
type members []*window.Meter

func newMembers(n int) members {
	m := make(members, n)
	for i := range m {
		m[i] = window.NewMeter(window.Options{Users: true})
	}
	return m
}

func (m members) record(i int, bucket uint16, o window.Outcome, n int) {
	for range n {
		m[i].Record(0, bucket, o, 20*time.Millisecond)
	}
}

func (m members) reading() *Reading {
	r := &Reading{}
	for _, meter := range m {
		s := new(window.Snapshot)
		meter.Read(s, true)
		r.Past = append(r.Past, s)
	}
	return r
}

func houseAndBeta() []config.Ring {
	return []config.Ring{{Name: "house", Digest: "1"}, {Name: "beta", Digest: "1"}}
}

func counts(s *window.Snapshot) [2]int {
	c := s.Counts(window.BadKind)
	return [2]int{int(c.X), int(c.N)}
}

func TestRings_Opening_KeepsThePastAsItIs(t *testing.T) {
	r, m, now := newRings(houseAndBeta()), newMembers(3), time.Now()
	m.record(0, 1, window.Success, 900)
	m.record(1, 2, window.Success, 95)
	m.record(1, 3, window.ServerError, 5)
	m.record(2, 4, window.Success, 50)
	r.look(m.reading(), now)
	m.record(1, 2, window.Success, 100)
	r.look(m.reading(), now.Add(time.Minute))
	r.open([]string{"house"}, nil, now.Add(time.Minute))
	past := r.frozen["house"]
	if past == nil || counts(past.Table) != [2]int{5, 200} || counts(past.Others) != [2]int{0, 950} {
		t.Fatalf("got %+v", past)
	}
	if past.Table.Latency.Count() != 195 || past.Table.Users != nil || past.Effect[window.BadKind] < 1 {
		t.Errorf("got %d timed, users %v, effects %v", past.Table.Latency.Count(), past.Table.Users != nil, past.Effect)
	}
	m.record(1, 2, window.ServerError, 50) // late answers of stable
	r.look(m.reading(), now.Add(2*time.Minute))
	r.open([]string{"house", "beta"}, nil, now.Add(2*time.Minute))
	if r.frozen["house"] != past {
		t.Error("a ring that stays open has another past")
	}
	if beta := r.frozen["beta"]; beta == nil || counts(beta.Table) != [2]int{0, 50} || counts(beta.Others) != [2]int{0, 900} {
		t.Errorf("beta: got %+v", beta)
	}
	policy := &gate.Policy{Stages: []gate.Stage{{Audience: "house"}, {Audience: "beta"}, {Weight: 100}}}
	for stage, want := range map[int]*gate.Past{0: nil, 1: past, 2: r.frozen["beta"], 3: nil, 4: nil} {
		if got := r.pastOf(policy, stage); got != want {
			t.Errorf("stage %d: got %+v", stage, got)
		}
	}
	r.open([]string{"house"}, nil, now.Add(3*time.Minute))
	if r.frozen["beta"] != nil {
		t.Error("a ring that is shut keeps its past")
	}
}

func TestRings_MaskedBuckets_AreNoPast(t *testing.T) {
	r, m, now := newRings(houseAndBeta()), newMembers(3), time.Now()
	m.record(1, 2, window.Success, 100)
	m.record(1, 7, window.ServerError, 40)
	m.record(1, 7, window.Success, 10)
	r.look(m.reading(), now)
	mask := new(window.Mask)
	mask.Set(7)
	r.open([]string{"house"}, mask, now)
	if got := counts(r.frozen["house"].Table); got != [2]int{0, 100} {
		t.Errorf("got %v, want 0 of 100", got)
	}
}

func TestRings_NothingRecent_IsNoPast(t *testing.T) {
	r, m, now := newRings(houseAndBeta()), newMembers(3), time.Now()
	r.open([]string{"house"}, nil, now)
	if r.frozen["house"] != nil {
		t.Errorf("never seen: got %+v", r.frozen["house"])
	}
	m.record(1, 2, window.Success, 100)
	r.look(m.reading(), now)
	r.open([]string{"house"}, nil, now.Add(staleAfter+time.Second))
	if r.frozen["house"] != nil {
		t.Errorf("long gone: got %+v", r.frozen["house"])
	}
	m.record(1, 2, window.Success, 7)
	later := now.Add(time.Hour)
	r.look(m.reading(), later)
	r.open([]string{"house"}, nil, later)
	if got := counts(r.frozen["house"].Table); got != [2]int{0, 7} {
		t.Errorf("back after an hour: got %v, want the seven of today", got)
	}
}

func TestRings_NewMeters_CountFromZero(t *testing.T) {
	r, m, now := newRings(houseAndBeta()), newMembers(3), time.Now()
	m.record(1, 2, window.Success, 100)
	r.look(m.reading(), now)
	m = newMembers(3)
	m.record(1, 2, window.Success, 5)
	r.look(m.reading(), now.Add(time.Second))
	r.open([]string{"house"}, nil, now.Add(time.Second))
	if got := counts(r.frozen["house"].Table); got != [2]int{0, 105} {
		t.Errorf("got %v, want 105", got)
	}
}

func TestRings_Restart_GoesOn(t *testing.T) {
	r, m, now := newRings(houseAndBeta()), newMembers(3), time.Now()
	m.record(0, 1, window.Success, 500)
	m.record(1, 2, window.Success, 100)
	m.record(2, 3, window.Success, 60)
	r.look(m.reading(), now)
	r.open([]string{"house"}, nil, now)
	text, err := json.Marshal(r.record(now))
	if err != nil {
		t.Fatal(err)
	}
	restore := func(of []config.Ring) rings {
		var saved []journal.Ring
		if err := json.Unmarshal(text, &saved); err != nil {
			t.Fatal(err)
		}
		return ringsOf(of, saved, now.Add(time.Minute))
	}
	again := restore(houseAndBeta())
	fresh := newMembers(3)
	fresh.record(2, 3, window.Success, 40)
	again.look(fresh.reading(), now.Add(time.Minute))
	again.open([]string{"house", "beta"}, nil, now.Add(time.Minute))
	if got := again.frozen["house"]; got == nil || counts(got.Table) != [2]int{0, 100} || counts(got.Others) != [2]int{0, 560} {
		t.Errorf("house: got %+v", got)
	}
	if got := again.frozen["beta"]; got == nil || counts(got.Table) != [2]int{0, 100} || counts(got.Others) != [2]int{0, 500} {
		t.Errorf("beta: got %+v", got)
	}
	others := houseAndBeta()
	others[0].Digest = "2"
	again = restore(others)
	again.open([]string{"house", "beta"}, nil, now.Add(time.Minute))
	if again.frozen["house"] != nil || again.frozen["beta"] == nil {
		t.Errorf("with other people in the house: got %+v", again.frozen)
	}
}

func TestRings_Reload_ForgetsOnlyOtherPeople(t *testing.T) {
	r, m, now := newRings(houseAndBeta()), newMembers(3), time.Now()
	m.record(1, 2, window.Success, 100)
	m.record(2, 3, window.Success, 60)
	r.look(m.reading(), now)
	r.open([]string{"house", "beta"}, nil, now)
	was := r.frozen["beta"]
	same := houseAndBeta()
	r.follow(same)
	if r.frozen["house"] == nil || r.frozen["beta"] != was {
		t.Errorf("a reload that changes nothing: got %+v", r.frozen)
	}
	r.follow([]config.Ring{{Name: "house", Digest: "2"}, {Name: "partners", Digest: "1"}, {Name: "beta", Digest: "1"}})
	if r.frozen["house"] != nil || r.frozen["beta"] != was || len(r.past) != 4 {
		t.Errorf("another house: got %+v", r.frozen)
	}
	fresh := newMembers(4)
	fresh.record(3, 3, window.Success, 5)
	r.look(fresh.reading(), now.Add(time.Second))
	r.open([]string{"house", "partners", "beta"}, nil, now.Add(time.Second))
	if r.frozen["house"] != nil || r.frozen["partners"] != nil || r.frozen["beta"] != was {
		t.Errorf("got %+v", r.frozen)
	}
}
