package window

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// drawSnapshot makes a snapshot from a seed; whole seconds, so that sums are exact.
func drawSnapshot(seed uint64, users bool) *Snapshot {
	r := rand.New(rand.NewPCG(seed, 99))
	s := &Snapshot{Seconds: float64(r.IntN(1000))}
	for i := range s.Outcomes {
		s.Outcomes[i], s.Masked[i] = r.Uint64()>>uint(r.IntN(64)), r.Uint64()>>uint(r.IntN(64))
	}
	for range r.IntN(200) {
		s.Latency[r.IntN(Bins)], s.Aborts[r.IntN(Bins)] = r.Uint32(), r.Uint32()>>20
	}
	if users {
		s.Users = new(Users)
		for _, k := range []Kind{All, BadKind, Kind(r.IntN(int(Kinds)))} {
			s.Users[k] = make([]uint32, Buckets)
			for range r.IntN(300) {
				s.Users[k][r.IntN(Buckets)] = r.Uint32()
			}
		}
	}
	return s
}

// same compares two snapshots; a kind that is not kept equals one at zero.
func same(a, b *Snapshot) bool {
	x, y := a.Clone(), b.Clone()
	x.Add(&Snapshot{Users: zeroUsers()})
	y.Add(&Snapshot{Users: zeroUsers()})
	return reflect.DeepEqual(x, y)
}

func zeroUsers() *Users {
	u := new(Users)
	for k := range u {
		u[k] = make([]uint32, Buckets)
	}
	return u
}

func FuzzSnapshot(f *testing.F) {
	f.Add(uint64(1), uint64(2), true, false)
	f.Add(uint64(3), uint64(4), true, true)
	f.Add(uint64(5), uint64(5), false, false)
	f.Fuzz(func(t *testing.T, x, y uint64, ux, uy bool) {
		a, b := drawSnapshot(x, ux), drawSnapshot(y, uy)
		ab, ba := a.Clone(), b.Clone()
		ab.Add(b)
		ba.Add(a)
		if !same(ab, ba) {
			t.Fatal("Add does not commute")
		}
		if got, want := ab.Total(), a.Total()+b.Total(); got != want {
			t.Fatalf("Add: got %d requests, want %d", got, want)
		}
		enc, err := json.Marshal(ab)
		if err != nil {
			t.Fatal(err)
		}
		var back Snapshot
		if err := json.Unmarshal(enc, &back); err != nil || !reflect.DeepEqual(&back, ab) {
			t.Fatalf("round trip: %v", err)
		}
		if ab.Sub(b); !same(ab, a) {
			t.Fatal("Sub does not undo Add")
		}
	})
}

func FuzzSnapshotJSON(f *testing.F) {
	f.Add([]byte(`{"outcomes":[1,2,3],"latency":"AAE="}`))
	f.Add([]byte(`{"outcomes":[0],"users":[null,"AAE="],"seconds":1e300}`))
	f.Add([]byte(`{"aborts":"kE4B"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s, back Snapshot
		if json.Unmarshal(raw, &s) != nil {
			return
		}
		again, err := json.Marshal(s)
		if err != nil || json.Unmarshal(again, &back) != nil || !reflect.DeepEqual(s, back) {
			t.Fatalf("accepted %q, but it does not come back: %v", raw, err)
		}
	})
}

func TestSnapshot_Malformed_IsAnErrorAndChangesNothing(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"not an object":         `[1]`,
		"torn":                  `{"outcomes":[1,2`,
		"negative":              `{"outcomes":[-1]}`,
		"too many outcomes":     `{"outcomes":[0,0,0,0,0,0,0,0,0,0,0,0,0]}`,
		"too many kinds":        `{"users":[null,null,null,null,null,null]}`,
		"bad base64":            `{"latency":"!"}`,
		"broken number":         `{"latency":"gA=="}`,
		"count missing":         `{"latency":"AA=="}`,
		"past the end":          `{"latency":"////////////AQE="}`,
		"just past the end":     `{"latency":"1QUB"}`,
		"count over 32 bits":    `{"aborts":"AICAgIAQ"}`,
		"users past the end":    `{"users":["kE4B"]}`,
		"number over ten bytes": `{"latency":"//////////////8B"}`,
	} {
		s := drawSnapshot(1, true)
		want := s.Clone()
		if err := json.Unmarshal([]byte(raw), s); err == nil {
			t.Errorf("%s: no error", name)
		}
		if !reflect.DeepEqual(s, want) {
			t.Errorf("%s: changed the snapshot", name)
		}
	}
}

func TestSnapshot_SubAcrossAWrap_IsTheDifference(t *testing.T) {
	t.Parallel()
	old, now := &Snapshot{Users: zeroUsers()}, &Snapshot{Users: zeroUsers()}
	old.Latency[5], now.Latency[5] = 1<<32-2, 3
	old.Users[All][9], now.Users[All][9] = 1<<32-1, 1
	now.Sub(old)
	if now.Latency[5] != 5 || now.Users[All][9] != 2 {
		t.Errorf("got %d and %d, want 5 and 2", now.Latency[5], now.Users[All][9])
	}
}

func TestSnapshot_BusyStage_SavesSmall(t *testing.T) {
	t.Parallel()
	s := &Snapshot{Users: new(Users)}
	r := rand.New(rand.NewPCG(1, 1))
	s.Users[All], s.Users[BadKind] = make([]uint32, Buckets), make([]uint32, Buckets)
	for b := range Buckets {
		s.Users[All][b] = uint32(r.IntN(200))
		s.Users[BadKind][b] = uint32(r.IntN(50) / 49)
	}
	for i := range 300 {
		s.Latency[200+i] = uint32(r.IntN(10000))
	}
	b, err := json.Marshal(s)
	if err != nil || len(b) > 64<<10 {
		t.Errorf("got %d bytes, %v; want at most 64 KiB", len(b), err)
	}
}

func TestHist_Quantile_IsTheUpperEdgeOfItsBin(t *testing.T) {
	t.Parallel()
	var h Hist
	if h.QuantileBin(.5) != -1 || h.Quantile(.5) != 0 {
		t.Error("an empty histogram has a quantile")
	}
	for i := range 100 {
		h[BinOf(time.Duration(i+1)*time.Millisecond)]++
	}
	for q, want := range map[float64]time.Duration{0: 1, .5: 50, .95: 95, .99: 99, 1: 100} {
		if got := h.Quantile(q); got != Edge(BinOf(want*time.Millisecond)) {
			t.Errorf("Quantile(%v): got %v, want the bin of %d ms", q, got, want)
		}
	}
	if got := h.Above(BinOf(95 * time.Millisecond)); got > 5 || got < 3 {
		t.Errorf("above 95 ms: got %d, want about 5", got)
	}
	if h.Above(-1) != 100 || h.Above(Bins-1) != 0 || h.Above(Bins+5) != 0 {
		t.Error("Above at the ends")
	}
	var top Hist
	top[Bins-1] = 1
	if got := top.Quantile(.5); got != Edge(Bins-2) {
		t.Errorf("above every edge: got %v, want at least %v", got, Edge(Bins-2))
	}
}
