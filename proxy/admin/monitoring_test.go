package admin

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	metricName  = regexp.MustCompile(`\b(serin|process|go)_[a-z0-9_]+`)
	recordName  = regexp.MustCompile(`\bserin:[a-z0-9_:]+`)
	histogramOf = strings.NewReplacer("_bucket", "", "_sum", "", "_count", "")
)

// exposed are the families of a scrape.
func exposed(t *testing.T) map[string]bool {
	t.Helper()
	o, _ := rooms()
	_, families := scrape(t, o)
	names := map[string]bool{}
	for name := range families {
		names[name] = true
	}
	return names
}

// checkNames fails for every metric of text that no scrape has, and for every recording that the rules do not make.
func checkNames(t *testing.T, where, text string, names map[string]bool) {
	t.Helper()
	found := metricName.FindAllString(text, -1)
	if len(found) == 0 {
		t.Errorf("%s names no metric", where)
	}
	for _, name := range found {
		if !names[name] && !names[histogramOf.Replace(name)] {
			t.Errorf("%s: no scrape has %s", where, name)
		}
	}
	rules, err := os.ReadFile("../../deploy/prometheus/serin.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range recordName.FindAllString(text, -1) {
		if !strings.Contains(string(rules), "record: "+name+"\n") {
			t.Errorf("%s: no rule records %s", where, name)
		}
	}
}

func TestRules_EveryMetricTheyName_Exists(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/serin.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	checkNames(t, "serin.rules.yml", string(text), exposed(t))
}

func TestGrafana_EveryMetricThatAPanelNames_Exists(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/serin.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
		Annotations struct {
			List []struct{ Name, Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	names, ids := exposed(t), map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			checkNames(t, "panel "+p.Title, target.Expr, names)
		}
	}
	for _, a := range board.Annotations.List {
		checkNames(t, "annotation "+a.Name, a.Expr, names)
	}
}
