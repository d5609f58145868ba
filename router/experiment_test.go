package router

import (
	"fmt"
	"math"
	"testing"
)

func experiment(shares ...Share) *Split {
	return &Split{Rollout: "button", Salt: Salt("button"), Keys: []KeySource{{KeyHeader, "X-User-Id"}}, Shares: shares}
}

func TestSplit_Experiment_GivesEveryArmItsShare(t *testing.T) {
	s := experiment(Share{Name: "control", Until: 5000, Upstream: 3}, Share{Name: "green", Until: 8000, Upstream: 4}, Share{Name: "blue", Until: Full, Upstream: 5})
	counts := map[string]int{}
	const users = 100_000
	for i := range users {
		c := s.ChooseKey(nil, fmt.Appendf(nil, "user-%d", i))
		if c.Why != ByWeight {
			t.Fatalf("user %d: got %v, want a choice by weight", i, c.Why)
		}
		counts[s.ArmName(c.Arm)]++
	}
	for name, share := range map[string]float64{"control": .5, "green": .3, "blue": .2} {
		got := float64(counts[name]) / users
		if math.Abs(got-share) > 4*math.Sqrt(share*(1-share)/users) {
			t.Errorf("%s: got a share of %v, want %v", name, got, share)
		}
	}
	if got := s.Upstream(2); got != 5 {
		t.Errorf("blue: got upstream %d, want 5", got)
	}
}

func TestSplit_StoppedArm_SendsItsUsersToTheControlAndMovesNobodyElse(t *testing.T) {
	whole := experiment(Share{Name: "control", Until: 3000}, Share{Name: "green", Until: 6000}, Share{Name: "blue", Until: Full})
	less := experiment(whole.Shares[0], Share{Name: "green", Until: 6000, Stopped: true}, whole.Shares[2])
	for i := range 10_000 {
		key := fmt.Appendf(nil, "user-%d", i)
		was, is := whole.ChooseKey(nil, key), less.ChooseKey(nil, key)
		if was.Arm == 1 {
			if is.Arm != Stable || is.Why != ByStopped {
				t.Fatalf("user %d of the stopped arm: got %v by %v, want the control by stopped", i, is.Arm, is.Why)
			}
		} else if was != is {
			t.Fatalf("user %d of another arm: got %v, want %v", i, is, was)
		}
	}
}

func TestGroup_EveryUser_IsInExactlyOneMember(t *testing.T) {
	g := NewGroup("risky", []string{"checkout", "button", "search"})
	counts := [3]int{}
	const users = 30_000
	for i := range users {
		key, members := fmt.Appendf(nil, "user-%d", i), 0
		for m := range counts {
			s := &Split{Salt: Salt(fmt.Sprint(m)), Weight: Full, Group: g, Member: uint8(m)}
			if c := s.ChooseKey(nil, key); c.Why == ByWeight {
				counts[m]++
				members++
			} else if c.Why != ByOther || c.Arm != Stable {
				t.Fatalf("user %d outside: got %v by %v, want stable by other", i, c.Arm, c.Why)
			}
		}
		if members != 1 {
			t.Fatalf("user %d is in %d members, want 1", i, members)
		}
	}
	for m, n := range counts {
		if got := float64(n) / users; math.Abs(got-g.Share(uint8(m))) > .012 || math.Abs(got-1./3) > .03 {
			t.Errorf("member %d: got %v of the users, want %v", m, got, g.Share(uint8(m)))
		}
	}
}

func TestGroup_NewMember_TakesUsersAndMovesNobodyBetweenTheOthers(t *testing.T) {
	two, three := NewGroup("risky", []string{"a", "b"}), NewGroup("risky", []string{"a", "b", "c"})
	for b := range two.owner {
		if was, is := two.owner[b], three.owner[b]; is != 2 && is != was {
			t.Fatalf("bucket %d: got member %d, want %d as before or the new one", b, is, was)
		}
	}
}

func TestRoute_Choose_AsksTheSplitThatHasTheUser(t *testing.T) {
	g := NewGroup("risky", []string{"first", "second"})
	keys := []KeySource{{KeyHeader, "X-User-Id"}}
	first := &Split{ID: 0, Rollout: "first", Salt: 1, Keys: keys, Weight: Full, Group: g}
	second := &Split{ID: 1, Rollout: "second", Salt: 2, Keys: keys, Weight: Full, Group: g, Member: 1, Force: "X-Arm"}
	r := &Route{Split: first, More: []*Split{second}}
	seen := [2]int{}
	for i := range 1000 {
		key := fmt.Sprintf("user-%d", i)
		s, c := r.Choose(&Request{Head: []byte("X-User-Id: " + key + "\r\n")})
		if c.Why != ByWeight || c.Arm != Canary {
			t.Fatalf("%s: got %v by %v, want the canary by weight", key, c.Arm, c.Why)
		}
		again, d := r.ChooseKey(nil, []byte(key))
		if again != s || d != c {
			t.Fatalf("%s: got %v, %v by its key, want %v, %v", key, again.Rollout, d, s.Rollout, c)
		}
		seen[s.ID]++
	}
	if seen[0] < 400 || seen[1] < 400 {
		t.Errorf("got %v users, want about half each", seen)
	}
	s, c := r.Choose(&Request{Head: []byte("X-User-Id: any\r\nX-Arm: stable\r\n")})
	if s != second || c.Why != ByForce {
		t.Errorf("forced: got %s by %v, want second by force", s.Rollout, c.Why)
	}
	if s, c := r.Choose(&Request{}); s != first || c.Why != ByNoKey {
		t.Errorf("no key: got %s by %v, want first by no_key", s.Rollout, c.Why)
	}
}

func TestTable_WithSplit_ReplacesAFurtherSplitOfARoute(t *testing.T) {
	first, second := &Split{ID: 0}, &Split{ID: 1}
	table, err := NewTable([]*Route{{Split: first, More: []*Split{second}}})
	if err != nil {
		t.Fatal(err)
	}
	changed := &Split{ID: 1, Weight: 500}
	next := table.WithSplit(changed)
	if next.routes[0].More[0] != changed || table.routes[0].More[0] != second || next.routes[0].Split != first {
		t.Errorf("got %v, want the second split replaced in the new table alone", next.routes[0].More)
	}
}

func TestRoute_Choose_AllocatesNothing(t *testing.T) {
	g := NewGroup("risky", []string{"first", "second"})
	keys := []KeySource{{KeyHeader, "X-User-Id"}}
	r := &Route{
		Split: &Split{Salt: 1, Keys: keys, Weight: 5000, Group: g},
		More:  []*Split{{ID: 1, Salt: 2, Keys: keys, Group: g, Member: 1, Shares: []Share{{Until: 5000}, {Until: Full}}}},
	}
	q := &Request{Head: []byte("Host: shop\r\nX-User-Id: alice\r\n")}
	if n := testing.AllocsPerRun(1000, func() { r.Choose(q) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
