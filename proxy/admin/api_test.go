package admin

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"serin/gate/control"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update and review):\ngot\n%s\nwant\n%s", name, got, want)
	}
}

func TestRollout_TheContractsStatus_ComesBackWithEveryNameAndValue(t *testing.T) {
	raw, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	status := contract()
	again, err := json.Marshal(RolloutOf(&status))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	compare(t, "", got, want)
}

func TestRollout_EndlessOddsAndEmptyStatus_AreStillJSON(t *testing.T) {
	s := contract()
	inf, nan := math.Inf(1), math.NaN()
	s.Gates[0].PassOdds, s.Gates[0].Difference, s.Gates[0].FailNeeds = inf, nan, &inf
	for _, s := range []control.RolloutStatus{s, {}} {
		raw, err := json.Marshal(RolloutOf(&s))
		if err != nil {
			t.Fatal(err)
		}
		var back Rollout
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Errorf("%v: %s", err, raw)
		}
		for _, list := range []string{`"stages":null`, `"gates":null`, `"allowed":null`} {
			if strings.Contains(string(raw), list) {
				t.Errorf("%s in %s", list, raw)
			}
		}
	}
}

func TestRollout_DecodedByAClient_IsTheSame(t *testing.T) {
	s := contract()
	ro := RolloutOf(&s)
	raw, err := json.Marshal(ro)
	if err != nil {
		t.Fatal(err)
	}
	var back Rollout
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("%v: got %s, want %s", err, again, raw)
	}
}

func TestSeries_Interval_IsWilsons(t *testing.T) {
	// 1 in 100, as R's prop.test(1, 100, correct = FALSE) has it.
	rate, low, high := wilson(1, 100)
	if rate != .01 || math.Abs(low-.001767) > 1e-5 || math.Abs(high-.054486) > 1e-5 {
		t.Errorf("got %v, %v to %v", rate, low, high)
	}
	if _, low, _ := wilson(0, 10); low != 0 {
		t.Errorf("none of ten: low %v", low)
	}
	if _, _, high := wilson(10, 10); high != 1 {
		t.Errorf("ten of ten: high %v", high)
	}
}

// compare insists that got holds all of want; more fields may follow.
func compare(t *testing.T, at string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, want an object", at, got)
			return
		}
		for k, v := range want {
			if _, ok := g[k]; !ok {
				t.Errorf("%s.%s is missing", at, k)
				continue
			}
			compare(t, at+"."+k, g[k], v)
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			t.Errorf("%s: got %v, want %d elements", at, got, len(want))
			return
		}
		for i := range want {
			compare(t, fmt.Sprintf("%s[%d]", at, i), g[i], want[i])
		}
	default:
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", at, got, want)
		}
	}
}

func TestAnswers_OfEveryReadingCall_KeepTheirShape(t *testing.T) {
	o, _ := rooms()
	h := New(o).Handler()
	for _, c := range []struct{ file, path string }{
		{"rollouts.json", "/v1/rollouts"},
		{"decisions.json", "/v1/rollouts/checkout/decisions"},
		{"series.json", "/v1/rollouts/checkout/series"},
		{"upstreams.json", "/v1/upstreams"},
		{"experiments.json", "/v1/experiments"},
		{"flags.json", "/v1/flags"},
		{"explain.json", "/v1/explain?key=alice"},
		{"config.json", "/v1/config"},
	} {
		t.Run(c.file, func(t *testing.T) {
			w := ask(h, "GET", c.path, "")
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
				t.Fatalf("GET %s: %d %s", c.path, w.Code, w.Header())
			}
			var b bytes.Buffer
			if err := json.Indent(&b, w.Body.Bytes(), "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, c.file, b.Bytes())
		})
	}
}

func TestRolloutOf_NothingComparedYet_NamesTheBaselineThatIsComing(t *testing.T) {
	s := contract()
	s.Baseline = ""
	if got := RolloutOf(&s).Baseline; got != "concurrent" {
		t.Errorf("got %q, want one of the contract's words", got)
	}
	s.Baseline = "frozen"
	if got := RolloutOf(&s).Baseline; got != "frozen" {
		t.Errorf("got %q, want frozen", got)
	}
}
