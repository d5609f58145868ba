package main

import (
	"strings"
	"testing"

	"serin/gate/experiment"
	"serin/proxy/admin"
)

func TestExperiment_Table_FitsATerminal(t *testing.T) {
	p := func(v float64) *float64 { return &v }
	x := admin.Experiment{
		Name: "button", Phase: "completed", Sentence: "Over after 25 s; everybody is on plain and the result stands.",
		Arms: []admin.ExperimentArm{
			{Name: "plain", Share: .4, Users: 351, Requests: 1906, ErrorRate: p(.0042), Errors: 8, P50MS: p(.1)},
			{Name: "big", Share: .3, Users: 167, Requests: 247, ErrorRate: p(.0567), Errors: 14, Difference: p(.0525), DifferenceLow: p(.0175), DifferenceHigh: p(.1054), P50MS: p(.2), Stopped: true},
			{Name: "green", Share: .3},
		},
		SampleRatio: experiment.Ratio{Verdict: "mismatch", Odds: 4711, Needs: 1000},
	}
	text := strings.Join(experimentText(x), "\n")
	narrow(t, text)
	for _, want := range []string{
		"  arm    share  users  requests  errors       difference in points (95 %)\n",
		"  plain   40 %    351     1,906  0.42 % (8)   control\n    median 0.1 ms\n",
		"  big     30 %    167       247  5.67 % (14)  +5.25 (+1.75 to +10.54)\n    median 0.2 ms; stopped: its users are with the control\n",
		"  green   30 %      0         0  -            -\n",
		"  SAMPLE RATIO MISMATCH: odds 4,711 to 1",
	} {
		if !strings.Contains(text+"\n", want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasSuffix(line, " ") {
			t.Errorf("%q ends with a space", line)
		}
	}
}
