package main

import (
	"fmt"
	"strconv"

	"serin/proxy/admin"
)

// signalsText is a rollout's business signals: how many, and their mean, on both arms.
func signalsText(ro admin.Rollout) []string {
	var lines []string
	for _, s := range ro.Signals {
		word := ""
		if s.Judged {
			word = ", judged"
		}
		lines = append(lines, wrapped(fmt.Sprintf("signal %s: canary %s, stable %s%s", s.Name, signalText(s.Canary), signalText(s.Stable), word), "  ")...)
	}
	if ro.SignalsLate > 0 {
		lines = append(lines, cut(fmt.Sprintf("  %s came after their stage was over", plural(int(ro.SignalsLate), "judged signal"))))
	}
	return lines
}

func signalText(a admin.SignalArm) string {
	if a.Mean == nil {
		return "none"
	}
	return fmt.Sprintf("mean %s of %s", strconv.FormatFloat(*a.Mean, 'g', 4, 64), count(a.Count))
}
