package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"serin/gate"
	"serin/proxy/admin"
)

func TestTeller_LongNumbers_FitATerminal(t *testing.T) {
	t.Parallel()
	needs := 1200.
	errors := admin.Gate{Metric: "error_rate", Verdict: gate.Fail, PassNeeds: 20, FailOdds: 1e9, FailNeeds: &needs}
	errors.Samples.Canary, errors.Samples.Stable = 12345, 2345678
	ro := admin.Rollout{Phase: "rolled_back", Weight: .05, Gates: []admin.Gate{errors}}
	ro.Arms.Canary.Errors, ro.Arms.Canary.Requests = 1234, 12345
	ro.Arms.Stable.Errors, ro.Arms.Stable.Requests = 123, 2345678
	decided := ro
	decided.LastDecision = &admin.DecisionView{ID: "shop-1-4", Action: "rollback", Sentence: "Rolled back from 5 % to 0 %: " + strings.Repeat("the canary is worse, ", 9)}
	decided.LastDecision.Evidence.Gates = []admin.Gate{errors}

	var out bytes.Buffer
	for _, s := range scenarios {
		teller := &teller{env: &env{stdout: &out}, scenario: s, load: newSampleLoad("http://127.0.0.1:1/", demoUsers, s.rate), began: time.Now()}
		teller.opening("127.0.0.1:65535", "127.0.0.1:65534")
		teller.tell(ro)
		teller.tell(decided)
		if err := teller.ending(); (err == nil) != (s.ends == "" || s.ends == "rolled_back") {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
			t.Errorf("%d columns, want at most %d: %s", n, columns, line)
		}
	}
	for _, want := range []string{"page http://127.0.0.1:65534/", "failed canary 1,234/12,345, stable 123/2,345,678", "needed 1,200"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story lacks %q:\n%s", want, out.String())
		}
	}
}
