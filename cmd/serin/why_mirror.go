package main

import (
	"fmt"

	"serin/proxy/admin"
)

// mirrorText tells what a mirror has found, field by field; nothing where it compared nothing.
func mirrorText(m admin.Mirror) []string {
	n := m.Requests
	if n["sampled"] == 0 {
		return nil
	}
	lines := []string{"", fmt.Sprintf("mirror: %s answers like stable's, %s unlike; %s used to learn, %s too large, %s not mirrored",
		count(n["match"]), count(n["mismatch"]), count(n["learning"]), count(n["too_large"]), count(n["dropped"]))}
	for _, d := range m.Differences[:min(len(m.Differences), 10)] {
		lines = append(lines, fmt.Sprintf("  %-7s %-8s %s", count(d.Count), d.Kind, clean(d.Field)))
		if len(d.Examples) > 0 {
			x := d.Examples[0]
			text := fmt.Sprintf("          %s %s", x.Method, x.Target)
			if x.Stable != "" || x.Canary != "" {
				text += fmt.Sprintf("  stable %s, canary %s", orNone(x.Stable), orNone(x.Canary))
			}
			lines = append(lines, clean(text))
		}
	}
	if more := len(m.Differences) - 10; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more fields", more))
	}
	for _, field := range m.Noise {
		lines = append(lines, "  noise, left out: "+clean(field))
	}
	return lines
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
