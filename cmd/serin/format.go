package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// columns is the width of a terminal everybody has.
const columns = 80

// percent prints a share: "25 %", "0.5 %", "5.25 %".
func percent(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f*100, 'f', 2, 64), "0"), ".") + " %"
}

// rate prints an error rate, always with two decimals, so that numbers below each other compare.
func rate(f float64) string { return strconv.FormatFloat(f*100, 'f', 2, 64) + " %" }

// points prints a difference of rates without its unit: "+0.12".
func points(f float64) string { return fmt.Sprintf("%+.2f", f*100) }

// count prints 15087 as "15,087".
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// odds prints how strong evidence is: two digits where it matters, never more than a person can use.
func odds(f float64) string {
	switch {
	case f >= 1e6:
		return "over a million"
	case f >= 10:
		return count(uint64(math.Round(f)))
	case f >= 0.05:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return "0"
}

// millis prints a latency; 0 is none.
func millis(ms float64) string {
	if ms == 0 {
		return "-"
	}
	if ms < 10 {
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
}

// span prints a length of time by its two largest units: "45 s", "6 min", "1 h 20 min".
func span(seconds float64) string {
	s := int64(math.Round(seconds))
	switch {
	case s < 100:
		return fmt.Sprintf("%d s", s)
	case s < 600 && s%60 != 0:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 5400:
		return fmt.Sprintf("%d min", (s+30)/60)
	case s < 48*3600:
		m := (s + 30) / 60
		if m%60 == 0 {
			return fmt.Sprintf("%d h", m/60)
		}
		return fmt.Sprintf("%d h %d min", m/60, m%60)
	}
	return fmt.Sprintf("%d days", s/86400)
}

// clock prints a wall time of today as 14:02:11, another day's with its date.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2006-01-02 15:04:05")
}

// words turns a code into text: not_enough_evidence -> "not enough evidence".
func words(code string) string { return strings.ReplaceAll(code, "_", " ") }

// wrapped breaks text into lines of at most 80 columns, all of them indented.
func wrapped(text, indent string) []string {
	var lines []string
	line := ""
	for _, word := range tied(strings.Fields(clean(text))) {
		if line != "" && utf8.RuneCountInString(indent+line)+1+utf8.RuneCountInString(word) > columns {
			lines = append(lines, indent+line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, indent+line)
	}
	return lines
}

// tied joins each unit to the number before it, so that no line begins with "%".
func tied(words []string) []string {
	var out []string
	for i, word := range words {
		if i > 0 && slices.Contains(units, strings.TrimRight(word, ".,;:)")) && strings.ContainsAny(words[i-1][len(words[i-1])-1:], "0123456789") {
			out[len(out)-1] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}

// hanging is wrapped text whose first line begins with a head and whose others are indented as far.
func hanging(head, text string) []string {
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	lines := wrapped(text, indent)
	if len(lines) == 0 {
		return []string{strings.TrimRight(clean(head), " ")}
	}
	lines[0] = clean(head) + lines[0][len(indent):]
	return lines
}

// units stand behind a number.
var units = []string{"%", "pt", "ms", "s", "min", "h", "points", "req/s"}

// cut shortens a line to 80 columns.
func cut(s string) string {
	s = clean(s)
	if utf8.RuneCountInString(s) <= columns {
		return s
	}
	return string([]rune(s)[:columns-3]) + "..."
}

// plural is "1 problem", "3 problems".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// shareOf reads a share from a flag: "3%", "0.03"; empty is 0.
func shareOf(flag, text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	number, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v < 1) {
		return 0, usagef("1%, for example", "--%s %q is no share", flag, text)
	}
	return v, nil
}
