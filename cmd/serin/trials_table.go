package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"serin/proxy/admin"
)

// armsText is the table of an experiment's arms, each column as wide as what is in it; what is not in every arm's row stands
// below it.
func armsText(arms []admin.ExperimentArm) []string {
	rows := [][]string{{"arm", "share", "users", "requests", "errors", "difference in points (95 %)"}}
	for i, a := range arms {
		rows = append(rows, armRow(a, i == 0))
	}
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	var lines []string
	for i, row := range rows {
		line := ""
		for j, cell := range row {
			room := strings.Repeat(" ", wide[j]-utf8.RuneCountInString(cell))
			if j >= 1 && j <= 3 { // numbers stand on the right
				cell, room = room+cell, ""
			}
			line += "  " + cell + room
		}
		lines = append(lines, strings.TrimRight(line, " "))
		if i > 0 {
			lines = append(lines, belowArm(&arms[i-1])...)
		}
	}
	return lines
}

// armRow is one arm's row; control is what the others are compared with.
func armRow(a admin.ExperimentArm, control bool) []string {
	errors, against := "-", "-"
	if a.ErrorRate != nil {
		errors = fmt.Sprintf("%s (%s)", rate(*a.ErrorRate), count(a.Errors))
	}
	switch {
	case control:
		against = "control"
	case a.Difference != nil:
		against = fmt.Sprintf("%s (%s to %s)", points(*a.Difference), points(*a.DifferenceLow), points(*a.DifferenceHigh))
	}
	return []string{clean(a.Name), percent(a.Share), count(uint64(a.Users)), count(a.Requests), errors, against}
}

// belowArm is what stands below an arm's row: its median, with what it differs from the control's, and that it was stopped.
func belowArm(a *admin.ExperimentArm) []string {
	var parts []string
	if a.P50MS != nil {
		median := "median " + millis(*a.P50MS)
		if c := a.P50Change; c != nil {
			median += fmt.Sprintf(" (%+.1f to %+.1f ms)", c.LowMS, c.HighMS)
		}
		parts = append(parts, median)
	}
	if a.Stopped {
		parts = append(parts, "stopped: its users are with the control")
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"    " + strings.Join(parts, "; ")}
}
