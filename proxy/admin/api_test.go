package admin

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
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
	again, err := json.Marshal(contract(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	compare(t, "", got, want)
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
	o, _ := rooms(t)
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
