package criterion

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Form is how a limit is written.
type Form uint8

const (
	Share  Form = iota + 1 // "1%": absolute; Value is the fraction
	Time                   // "300ms": absolute; Value is seconds
	Points                 // "stable + 0.5pt"; Value is the fraction, .005
	Factor                 // "stable * 1.10"; Value is the factor
	Delay                  // "stable + 20ms"; Value is seconds
	Number                 // "0.02": absolute; Value is the number, for what is measured elsewhere
)

// Limit is one limit of a gate. Immutable; the zero Limit is none.
type Limit struct {
	Form  Form
	Value float64
	less  bool // "stable - 0.5pt": as "stable + 0.5pt", and only where lower is worse
	text  string
}

// Absolute reports whether l asks nothing of stable.
func (l *Limit) Absolute() bool { return l.Form == Share || l.Form == Time || l.Form == Number }

// String is the limit as the user wrote it.
func (l *Limit) String() string { return l.text }

// ParseLimit reads "stable + 0.5pt", "stable - 0.5pt", "stable * 1.10", "stable + 20ms", "1%" or "300ms". Which of them fit a metric is
// New's to say.
func ParseLimit(text string) (*Limit, error) {
	clean := strings.TrimSpace(text)
	l := &Limit{text: clean}
	if err := l.parse(clean); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Limit) parse(text string) error {
	rest, relative := strings.CutPrefix(text, "stable")
	rest = strings.TrimSpace(rest)
	switch {
	case !relative:
		return l.absolute(text)
	case strings.HasPrefix(rest, "*"):
		return l.factor(strings.TrimSpace(rest[1:]))
	case strings.HasPrefix(rest, "+"):
		return l.added(strings.TrimSpace(rest[1:]))
	case strings.HasPrefix(rest, "-"):
		l.less = true
		return l.added(strings.TrimSpace(rest[1:]))
	}
	return fmt.Errorf("limit %q: want \"stable + 0.5pt\", \"stable + 20ms\" or \"stable * 1.10\"", text)
}

func (l *Limit) absolute(text string) error {
	if share, ok := strings.CutSuffix(text, "%"); ok {
		v, err := number(share)
		if err != nil || v <= 0 || v >= 100 {
			return fmt.Errorf("limit %q: want a share between 0%% and 100%%", l.text)
		}
		l.Form, l.Value = Share, v/100
		return nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		if d <= 0 {
			return fmt.Errorf("limit %q: want a time above 0", l.text)
		}
		l.Form, l.Value = Time, d.Seconds()
		return nil
	}
	if v, err := number(strings.TrimPrefix(text, "-")); err == nil {
		if text[0] == '-' {
			v = -v
		}
		l.Form, l.Value = Number, v
		return nil
	}
	hint := ""
	if meant := nearLimit(text); meant != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", meant)
	}
	return fmt.Errorf("limit %q: want \"stable + 0.5pt\", \"stable * 1.10\", \"stable + 20ms\", \"1%%\" or \"300ms\"%s", l.text, hint)
}

// nearLimit guesses what was meant: bare points, the word stable in capitals, or the arm that is judged in its place; ""
// where nothing is near.
func nearLimit(text string) string {
	lower := strings.ToLower(text)
	for _, guess := range []string{"stable + " + lower, lower, strings.Replace(lower, "canary", "stable", 1)} {
		if strings.HasPrefix(guess, "stable") && (&Limit{text: guess}).parse(guess) == nil {
			return guess
		}
	}
	return ""
}

func (l *Limit) factor(text string) error {
	v, err := number(text)
	if err != nil || v <= 1 || v > 1000 {
		return fmt.Errorf("limit %q: want a factor above 1, such as \"stable * 1.10\"", l.text)
	}
	l.Form, l.Value = Factor, v
	return nil
}

func (l *Limit) added(text string) error {
	if points, ok := strings.CutSuffix(text, "pt"); ok {
		v, err := number(points)
		if err != nil || v <= 0 || v >= 100 {
			return fmt.Errorf("limit %q: want more than 0 and less than 100 points", l.text)
		}
		l.Form, l.Value = Points, v/100
		return nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		l.Form, l.Value = Delay, d.Seconds()
		return nil
	}
	hint := ""
	if share, ok := strings.CutSuffix(text, "%"); ok {
		if v, err := number(share); err == nil {
			hint = fmt.Sprintf(": \"stable * %g\" is %s more than stable has, \"stable + %spt\" is %s points", 1+v/100, text, share, share)
		}
	}
	return fmt.Errorf("limit %q: want points (\"stable + 0.5pt\") or a time (\"stable + 20ms\")%s", l.text, hint)
}

// number reads a plain decimal number: no sign, no exponent, no words.
func number(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return strconv.ParseFloat(text, 64)
}
