package signal

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"serin/gate/window"
	"serin/router"
)

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func splitAt(w router.Weight) *router.Split {
	return &router.Split{Rollout: "shop", Salt: router.Salt("shop"), Keys: []router.KeySource{{Kind: router.KeyHeader, Name: "X-User-Id"}}, Weight: w}
}

func bookAt(w router.Weight) (*Book, *router.Split) {
	b, s := NewBook(map[string]bool{"failed": false, "done": true}), splitAt(w)
	b.Begin(1, s, nil, began)
	return b, s
}

func record(t *testing.T, b *Book, e Event) (late, ok bool) {
	t.Helper()
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	late, ok, err := b.Record(e)
	if err != nil {
		t.Fatal(err)
	}
	return late, ok
}

// counts are x bad of n of a signal, by arm.
func counts(b *Book, name string) (out [2][2]float64) {
	into := map[string]*[2]window.Snapshot{}
	b.Read(into)
	for arm := range out {
		c := into[name][arm].Counts(window.BadKind)
		out[arm] = [2]float64{c.X, c.N}
	}
	return out
}

func TestBook_Events_GoToTheArmOfTheirKey(t *testing.T) {
	b, s := bookAt(3000)
	var want [2]float64
	for i := range 5000 {
		key := fmt.Sprintf("user-%d", i)
		want[s.ChooseText(key).Arm]++
		record(t, b, Event{Key: key, Name: "failed", Value: 1})
	}
	got := counts(b, "failed")
	if got[0][1] != want[0] || got[1][1] != want[1] || got[0][0] != want[0] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBook_LowerIsWorse_CountsTheRest(t *testing.T) {
	b, _ := bookAt(10000)
	for range 30 {
		record(t, b, Event{Key: "a", Name: "done", Value: 1})
	}
	for range 70 {
		record(t, b, Event{Key: "a", Name: "done", Value: 0})
	}
	if got := counts(b, "done")[1]; got != [2]float64{70, 100} {
		t.Errorf("got %v, want 70 of 100 bad", got)
	}
}

func TestBook_ValuesBetween_AreCountedInProportionAndSummedExactly(t *testing.T) {
	b, _ := bookAt(10000)
	const n = 20000
	for range n {
		record(t, b, Event{Key: "a", Name: "failed", Value: .25})
	}
	got := counts(b, "failed")[1]
	if got[1] != n || math.Abs(got[0]/n-.25) > .02 { // 6 standard deviations
		t.Errorf("got %v", got)
	}
	list, _ := b.Totals()
	if list[0].Sums[1] != n*.25 || list[0].Counts[1] != n || !list[0].Gated {
		t.Errorf("got %+v", list)
	}
}

func TestBook_NewStep_BeginsAtZeroAndLateEventsCountForTheirOwnStage(t *testing.T) {
	b, _ := bookAt(0)
	record(t, b, Event{Key: "a", Name: "failed", Value: 1})
	b.Begin(2, splitAt(10000), nil, began.Add(time.Hour))
	if got := counts(b, "failed"); got[0][1]+got[1][1] != 0 {
		t.Errorf("a new step has %v", got)
	}
	if late, ok := record(t, b, Event{Key: "a", Name: "failed", Value: 1, At: began.Add(time.Minute)}); !late || !ok {
		t.Errorf("late %v, attributed %v", late, ok)
	}
	if got := counts(b, "failed"); got[0][1]+got[1][1] != 0 {
		t.Errorf("a late event is evidence of another stage: %v", got)
	}
	list, late := b.Totals()
	if list[0].Counts != [2]uint64{2, 0} || late != 1 { // at its own time everybody was on stable
		t.Errorf("got %+v, %d late", list, late)
	}
	if late, ok := record(t, b, Event{Key: "a", Name: "failed", Value: 1, At: began.Add(-time.Hour)}); !late || ok {
		t.Errorf("before the rollout: late %v, attributed %v", late, ok)
	}
	if _, ok := record(t, b, Event{Key: "a", Name: "failed", Value: 1}); !ok || counts(b, "failed")[1][1] != 1 {
		t.Errorf("an event of now is no evidence")
	}
}

func TestBook_SameStepAnotherWeight_KeepsItsCounts(t *testing.T) {
	b, _ := bookAt(10000)
	record(t, b, Event{Key: "a", Name: "failed", Value: 0})
	b.Begin(1, splitAt(5000), nil, began.Add(time.Minute))
	if got := counts(b, "failed"); got[0][1]+got[1][1] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestBook_Floods_AreBounded(t *testing.T) {
	b, _ := bookAt(5000)
	refused := 0
	for i := range 1000 {
		if _, _, err := b.Record(Event{Key: "a", Name: fmt.Sprintf("n%d", i), Value: 1}); err == ErrNames {
			refused++
		}
	}
	if refused != 1000-MaxNames-2 {
		t.Errorf("%d refused", refused)
	}
	if _, ok := record(t, b, Event{Key: "a", Name: "failed", Value: 1}); !ok {
		t.Error("a gated signal has no room after a flood")
	}
	for i := range 100 {
		b.Begin(uint64(i+2), splitAt(router.Weight(i)), nil, began.Add(time.Duration(i)*time.Minute))
	}
	if len(b.past) > keptPast {
		t.Errorf("%d stages kept", len(b.past))
	}
	for _, s := range b.past {
		if s.meters != nil {
			t.Fatal("a stage that is over keeps its meters, which are large")
		}
	}
}

func TestBook_OutOfRange_IsRefusedWhereItIsEvidence(t *testing.T) {
	b, _ := bookAt(5000)
	for _, v := range []float64{-.1, 1.1} {
		if _, _, err := b.Record(Event{Key: "a", Name: "failed", Value: v}); err != ErrRange {
			t.Errorf("%v: %v", v, err)
		}
		if _, _, err := b.Record(Event{Key: "a", Name: "revenue", Value: v}); err != nil {
			t.Errorf("%v of a signal that is only shown: %v", v, err)
		}
	}
}

func TestCheck_RefusesWhatMeansNothing(t *testing.T) {
	for _, e := range []Event{
		{Name: "a", Value: 1}, {Key: strings.Repeat("k", MaxKey+1), Name: "a"}, {Key: "k"}, {Key: "k", Name: "a b"},
		{Key: "k", Name: "a", Value: math.NaN()}, {Key: "k", Name: "a", Value: math.Inf(1)}, {Key: "k", Name: strings.Repeat("n", MaxName+1)},
	} {
		if e.Check() == nil {
			t.Errorf("%+v is taken", e)
		}
	}
}

func TestParse_Fields(t *testing.T) {
	for field, want := range map[string]string{
		"done=1, revenue=12.5": "done=1 revenue=12.5", "done": "done=1", " done = 0.5 ,": "done=0.5", "a b=1,x=y,=3": "", "done=NaN,done=1e400": "",
	} {
		var got []string
		Parse([]byte(field), func(name string, v float64) { got = append(got, fmt.Sprintf("%s=%v", name, v)) })
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", field, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a=1,b=2"))
	f.Fuzz(func(t *testing.T, field []byte) {
		Parse(field, func(name string, v float64) {
			if !ValidName(name) || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%q gives %q=%v", field, name, v)
			}
		})
	})
}

// Whether a user is of an audience that looks at more than his key, nobody knows who is told the key alone.
func TestBook_AudienceThatAKeyDoesNotTell_CountsNobody(t *testing.T) {
	few := &router.Audience{Share: 5000, Salt: router.Salt("few")}
	staff := &router.Audience{Any: []router.Predicate{{Kind: router.IsHeader, Name: "X-Employee"}}}
	customers := &router.Audience{Not: staff.Any}
	for _, a := range []*router.Audience{few, staff, customers} {
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
	}
	f := func(a *router.Audience, want func(key string) bool) {
		t.Helper()
		b, s := bookAt(3000)
		of := *s
		of.Audience = a
		b.Begin(2, &of, nil, began)
		for i := range 200 {
			key := fmt.Sprintf("user-%d", i)
			if _, ok := record(t, b, Event{Key: key, Name: "failed", Value: 1}); ok != want(key) {
				t.Fatalf("%s: counted: %v, want %v", key, ok, want(key))
			}
		}
	}
	f(few, func(key string) bool { return router.BucketOf(router.Salt("few"), []byte(key)) < 5000 })
	f(staff, func(string) bool { return false })
	f(customers, func(string) bool { return false })
}
