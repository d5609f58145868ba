package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// width is how wide check's text is at most.
const width = 80

// TimetableText writes timetables for a terminal of 80 columns. Timetables of one rollout at assumed rates share a
// table; a known rate is told in full.
func TimetableText(tables []Timetable) string {
	var b strings.Builder
	for i := 0; i < len(tables); {
		n := i + 1
		for n < len(tables) && tables[n].Rollout == tables[i].Rollout && tables[n].Assumed {
			n++
		}
		if i > 0 {
			b.WriteString("\n")
		}
		if tables[i].Assumed {
			overview(&b, tables[i:n])
		} else {
			inFull(&b, &tables[i])
		}
		i = n
	}
	return b.String()
}

// overview writes how long each stage takes at several rates.
func overview(b *strings.Builder, tables []Timetable) {
	first := &tables[0]
	fmt.Fprintf(b, "%s: how long the stages take, if about %s of requests fail\n\n", first.Rollout, spaced(first.ErrorRate))
	fmt.Fprintf(b, "  %-24s %10s", "stage", "at least")
	for _, t := range tables {
		fmt.Fprintf(b, " %12s", trim(t.RPS)+" req/s")
	}
	b.WriteString("\n")
	for i, s := range first.Stages {
		fmt.Fprintf(b, "  %-24s %10s", stageName(&s), Span(s.Least))
		for _, t := range tables {
			fmt.Fprintf(b, " %12s", t.Stages[i].takes())
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "  %-24s %10s", "in all", Span(first.Least))
	for _, t := range tables {
		fmt.Fprintf(b, " %12s", Span(t.Expected))
	}
	b.WriteString("\n\n")
	if first.capacity != "" {
		wrap(b, "  ", "  ", first.capacity)
	}
	first.theirs(b)
	for _, p := range first.Warnings {
		if !slices.ContainsFunc(tables, func(t Timetable) bool { return !slices.Contains(t.Warnings, p) }) { // whatever the traffic
			p.write(b, "warning")
			b.WriteString("\n")
		}
	}
	wrap(b, "  ", "  ", "Give --rps and --error-rate for what each gate needs and what would help.")
}

// inFull writes what each gate of each stage needs.
func inFull(b *strings.Builder, t *Timetable) {
	takes := "about " + Span(t.Expected)
	if t.Expected.Never() {
		takes = "and never over as it stands"
	}
	wrap(b, "", "  ", fmt.Sprintf("%s at %s requests/s and about %s errors: at least %s, %s",
		t.Rollout, trim(t.RPS), spaced(t.ErrorRate), Span(t.Least), takes))
	t.theirs(b)
	noted := map[string]bool{}
	for i := range t.Stages {
		s := &t.Stages[i]
		takes := s.takes()
		if !s.Expected.Never() {
			takes = "about " + takes
		}
		fmt.Fprintf(b, "\n  stage %d (%s -> %s): at least %s, %s", s.Stage, s.Label, s.Next, Span(s.Least), takes)
		if s.Late > s.Expected && !s.Expected.Never() {
			fmt.Fprintf(b, " (90%%: %s)", Span(s.Late))
		}
		b.WriteString("\n")
		if s.Person {
			wrap(b, "    ", "    ", "Then a person is asked.")
		}
		for j := range s.Gates {
			g := s.Gates[j]
			if noted[g.Note] {
				g.Note = ""
			}
			noted[g.Note] = true
			wrap(b, "    ", "      ", g.sentence())
		}
	}
	for _, list := range []struct {
		word     string
		problems []StageProblem
	}{{"error", t.Problems}, {"warning", t.Warnings}} {
		for _, p := range list.problems {
			b.WriteString("\n")
			p.write(b, list.word)
		}
	}
}

// write writes a problem as a paragraph.
func (p *StageProblem) write(b *strings.Builder, word string) {
	wrap(b, "  ", "    ", strings.TrimSpace(fmt.Sprintf("%s: stage %d: %s. %s", word, p.Stage, p.Text, p.Help)))
}

// theirs says whose traffic a timetable rests on, where it is not everybody's.
func (t *Timetable) theirs(b *strings.Builder) {
	if t.Audience != "" {
		wrap(b, "  ", "  ", "The requests are those of audience "+t.Audience+", and the shares of its members: nobody else's count.")
	}
}

// stageName is a stage's crossing: "1 (1 % -> 5 %)".
func stageName(s *StageTime) string { return fmt.Sprintf("%d (%s -> %s)", s.Stage, s.Label, s.Next) }

// takes is how long a stage is expected to take.
func (s *StageTime) takes() string {
	if s.Expected.Never() {
		return "never over"
	}
	return Span(s.Expected)
}

// sentence says what a gate needs.
func (g *GateTime) sentence() string {
	switch {
	case g.Outside:
		return g.Metric + ": is asked elsewhere, and needs no traffic of its own."
	case g.Ring:
		return g.inRing()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: proving %s", g.Metric, g.Proves)
	switch {
	case g.Requests.Never():
		b.WriteString(" is not possible with this baseline")
	case g.Seconds.Never():
		b.WriteString(" never comes about")
	default:
		fmt.Fprintf(&b, " takes about %s canary requests, %s (90%%: %s)", grouped(float64(g.Requests)), Span(g.Seconds), Span(g.Seconds*lateFactor))
	}
	if g.HoldText != "" && !g.Hold.Never() {
		fmt.Fprintf(&b, "; seeing %s would take %s", g.HoldText, Span(g.Hold))
	}
	if g.CallText != "" && !g.Calls.Never() {
		fmt.Fprintf(&b, "; a canary at %s is rolled back in about %s", g.CallText, Span(g.CallTime))
	}
	if g.Note != "" {
		fmt.Fprintf(&b, " (%s)", g.Note)
	}
	return b.String() + "."
}

// grouped writes a number of requests for people: "43,461".
func grouped(n float64) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// spaced writes a fraction as a percentage for people: "0.5 %".
func spaced(fraction float64) string { return strings.TrimSuffix(percent(fraction), "%") + " %" }

// wrap writes text in lines of at most width columns, the first after first, the others after rest. A unit stays with
// its number.
func wrap(b *strings.Builder, first, rest, text string) {
	line, words := first, strings.Fields(text)
	for i := 0; i < len(words); i++ {
		word := words[i]
		for i+1 < len(words) && slices.Contains(units, strings.Trim(words[i+1], ".,;:()")) {
			i++
			word += " " + words[i]
		}
		switch {
		case line == first || line == rest:
			line += word
		case len(line)+1+len(word) > width:
			b.WriteString(line + "\n")
			line = rest + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}

// units are the words that stand behind a number.
var units = []string{"s", "min", "h", "days", "%"}
