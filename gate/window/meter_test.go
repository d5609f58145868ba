package window

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func TestBinOf_AgreesWithTheFormula(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		d := time.Duration(math.Exp(r.Float64()*16+9)) + 1
		want := min(max(int(math.Ceil(52.4603*math.Log(d.Seconds()/1e-4)-1e-9)), 0), Bins-1)
		got := BinOf(d)
		near := math.Abs(d.Seconds()/(1e-4*math.Pow(Growth, math.Round(52.4603*math.Log(d.Seconds()/1e-4))))-1) < 1e-4
		if got != want && !near { // 52.4603 is rounded: beside an edge the two may differ
			t.Fatalf("BinOf(%v): got %d, want %d", d, got, want)
		}
	}
}

func TestBinOf_EveryEdge_IsInItsOwnBin(t *testing.T) {
	t.Parallel()
	for i := range Bins - 1 {
		if got := BinOf(Edge(i)); got != i {
			t.Errorf("BinOf(Edge(%d)): got %d", i, got)
		}
		if got := BinOf(Edge(i) + 1); got != i+1 {
			t.Errorf("BinOf(Edge(%d)+1ns): got %d, want %d", i, got, i+1)
		}
	}
	for d, want := range map[time.Duration]int{-time.Second: 0, 0: 0, 1: 0, 100 * time.Second: Bins - 1, time.Hour: Bins - 1, math.MaxInt64: Bins - 1} {
		if got := BinOf(d); got != want {
			t.Errorf("BinOf(%v): got %d, want %d", d, got, want)
		}
	}
}

func TestShift_IsHalfTheStepOfTenPercent(t *testing.T) {
	t.Parallel()
	for r, want := range map[float64]int{1: 0, 1.1: 5, 1.5: 21, 2: 36, 1.25: 12} {
		if got := Shift(r); got != want {
			t.Errorf("Shift(%v): got %d, want %d", r, got, want)
		}
	}
	if got := Ratio(5); math.Abs(got-1.1) > 1e-12 {
		t.Errorf("Ratio(5): got %v, want 1.1", got)
	}
}

func TestMeter_EveryOutcome_IsCountedWhereItBelongs(t *testing.T) {
	t.Parallel()
	m := NewMeter(Options{Kinds: []Kind{ClientKind, TimeoutKind, AbortKind}})
	for o := range Outcomes {
		m.Record(uint64(o), 7, o, 10*time.Millisecond)
	}
	m.Record(0, NoBucket, Success, time.Second)
	m.Record(0, 7, Outcome(200), time.Second) // unknown: neutral
	var s Snapshot
	m.Read(&s, true)
	f := func(what string, got, want uint64) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %d, want %d", what, got, want)
		}
	}
	f("total", s.Total(), uint64(Outcomes)+2)
	f("judged", s.Judged(), uint64(Outcomes)-2+1)
	f("bad", s.Bad(), 6)
	f("neutral", s.Outcomes[Neutral], 2)
	f("timed", s.Latency.Count(), 6)
	f("aborts", s.Aborts.Count(), 1)
	f("user judged", uint64(s.Users[All][7]), uint64(Outcomes)-2)
	f("user bad", uint64(s.Users[BadKind][7]), 6)
	f("user 4xx", uint64(s.Users[ClientKind][7]), 1)
	f("user timeouts", uint64(s.Users[TimeoutKind][7]), 1)
	f("user aborts", uint64(s.Users[AbortKind][7]), 1)
	if got := s.Counts(AbortKind); got.X != 1 || got.N != float64(s.Judged()+1) {
		t.Errorf("abort share: got %v", got)
	}
	if math.Abs(s.Seconds-1.05) > 1e-9 {
		t.Errorf("seconds: got %v, want 1.05", s.Seconds)
	}
}

func TestMeter_MaskedBucket_IsNoEvidence(t *testing.T) {
	t.Parallel()
	mask := new(Mask)
	mask.Set(3)
	m := NewMeter(Options{Mask: mask, Users: true})
	m.Record(0, 3, ServerError, 0)
	m.Record(0, 3, Success, time.Second)
	m.Record(0, 4, Success, time.Second)
	var s Snapshot
	m.Read(&s, true)
	if s.Judged() != 1 || s.Bad() != 0 || s.Latency.Count() != 1 || s.Masked[ServerError] != 1 || s.Masked[Success] != 1 {
		t.Errorf("got %d judged, %d bad, masked %v", s.Judged(), s.Bad(), s.Masked)
	}
	if got := s.Everyone(BadKind); got != (Counts{1, 3}) {
		t.Errorf("everyone: got %v, want 1 of 3", got)
	}
	if s.Users[BadKind][3] != 1 {
		t.Error("a masked user's error is not seen as a person's")
	}
}

func TestMeter_WithoutUsers_ReadsNone(t *testing.T) {
	t.Parallel()
	m := NewMeter(Options{})
	m.Record(0, 1, Success, 0)
	s := Snapshot{Users: new(Users)}
	if m.Read(&s, false); s.Users != nil {
		t.Error("users read though not asked for")
	}
	if m.Read(&s, true); s.Users == nil || s.Users[All] != nil {
		t.Errorf("users of a meter that keeps none: got %v", s.Users)
	}
}

func TestMeter_ReadWhileRecording_LosesNothing(t *testing.T) {
	t.Parallel()
	const writers, each = 4, 20_000
	m := NewMeter(Options{Users: true})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for i := range each {
				o := Success
				if i%10 == 0 {
					o = ServerError
				}
				m.Record(uint64(w), uint16(r.IntN(Buckets)), o, time.Duration(i)*time.Microsecond)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var last, sum Snapshot
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		var s Snapshot
		m.Read(&s, true)
		for b, x := range s.Users[BadKind] {
			if x > s.Users[All][b] {
				t.Fatalf("bucket %d: %d bad of %d", b, x, s.Users[All][b])
			}
		}
		newer := s.Clone()
		s.Sub(&last)
		if s.Judged() > writers*each {
			t.Fatal("a counter went down")
		}
		sum.Add(&s)
		last = *newer
	}
	if sum.Judged() != writers*each || sum.Bad() != writers*each/10 || sum.Latency.Count() != writers*each*9/10 {
		t.Errorf("sum of the windows: got %d judged, %d bad, %d timed", sum.Judged(), sum.Bad(), sum.Latency.Count())
	}
	users := 0
	for _, n := range sum.Users[All] {
		users += int(n)
	}
	if users != writers*each {
		t.Errorf("buckets: got %d requests, want %d", users, writers*each)
	}
}

func TestMeter_Record_AllocatesNothing(t *testing.T) {
	m := NewMeter(Options{Mask: new(Mask), Kinds: []Kind{ClientKind}})
	if n := testing.AllocsPerRun(1000, func() { m.Record(1, 2, ClientError, time.Millisecond) }); n != 0 {
		t.Errorf("Record: got %v allocations, want 0", n)
	}
	var s Snapshot
	m.Read(&s, true)
	if n := testing.AllocsPerRun(10, func() { m.Read(&s, true) }); n != 0 {
		t.Errorf("Read into a used snapshot: got %v allocations, want 0", n)
	}
}

func BenchmarkMeter_Record(b *testing.B) {
	for name, o := range map[string]Options{"users=false": {}, "users=true": {Users: true, Mask: new(Mask)}} {
		b.Run(name, func(b *testing.B) {
			m := NewMeter(o)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				m.Record(1, uint16(i)%Buckets, Success, time.Duration(i&0xfffff)*time.Microsecond)
			}
		})
	}
}

func BenchmarkMeter_RecordParallel(b *testing.B) {
	m := NewMeter(Options{Users: true, Mask: new(Mask)})
	b.ReportAllocs()
	var mu sync.Mutex
	var next uint64
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		next++
		hint := next
		mu.Unlock()
		for i := int(hint) * 1013; pb.Next(); i++ {
			m.Record(hint, uint16(i)%Buckets, Success, time.Duration(i&0xfffff)*time.Microsecond)
		}
	})
}

func BenchmarkMeter_Read(b *testing.B) {
	for name, users := range map[string]bool{"users=false": false, "users=true": true} {
		b.Run(name, func(b *testing.B) {
			m := NewMeter(Options{Users: true})
			var s Snapshot
			for b.Loop() {
				m.Read(&s, users)
			}
		})
	}
}

func BenchmarkBinOf(b *testing.B) {
	i, sink := 0, 0
	for b.Loop() {
		i += 104_729
		sink += BinOf(time.Duration(i & 0xfffffffff))
	}
	_ = sink
}
