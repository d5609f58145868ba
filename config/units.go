package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"serin/router"
)

// value is one TOML value with its own spelling. Its zero value is only for decoding into.
type value interface {
	decode(raw any) error // from what the TOML library made of the text
	literal() string      // TOML text that decodes to the same value
	unit() string         // what the reference calls it
	pattern() string      // regular expression of its text for the JSON schema; "" for anything
}

// ranked values have an order, for the ranges of the field tags.
type ranked interface{ rank() float64 }

// Duration is a length of time written as "15m", "1h30m" or "7d". Never negative.
type Duration time.Duration

// Share is a fraction 0..1 written as a percentage, "0.5%".
type Share float64

// Weight is a share of the buckets written as a percentage in steps of 0.01 %.
type Weight router.Weight

// Points is a difference of rates, 0..1, written in percentage points, "0.1pt".
type Points float64

// Size is a number of bytes written as "32KiB"; "0" has no unit.
type Size int64

// Count is a whole number, never negative.
type Count int

// Flag is true or false.
type Flag bool

// Text is free text.
type Text string

func (d *Duration) decode(raw any) error {
	parsed, ok := parseDuration(raw)
	if !ok {
		return wanted(`a duration with its unit, such as "15m"`, raw)
	}
	*d = Duration(parsed)
	return nil
}

func (d Duration) literal() string { return strconv.Quote(d.String()) }
func (Duration) unit() string      { return "duration" }
func (Duration) pattern() string   { return `^(\d+d|0|(\d+(\.\d+)?(h|m|s|ms|us|ns))+)$` }
func (d Duration) rank() float64   { return float64(d) }

// String writes d as a person would: "15m", not "15m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return strings.ReplaceAll(text, "µ", "u")
}

// parseDuration reads what time.ParseDuration does, unsigned, and whole days.
func parseDuration(raw any) (time.Duration, bool) {
	text, ok := raw.(string)
	if !ok || text == "" || text[0] == '-' || text[0] == '+' {
		return 0, false
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

func (s *Share) decode(raw any) error {
	n, ok := parseNumber(raw, "%")
	if !ok || n > 100 {
		return wanted(`a share up to 100%, such as "0.5%"`, raw)
	}
	*s = Share(n / 100)
	return nil
}

func (s Share) literal() string { return strconv.Quote(percent(float64(s))) }
func (Share) unit() string      { return "share" }
func (Share) pattern() string   { return `^\d+(\.\d+)?%$` }
func (s Share) rank() float64   { return float64(s) }

func (w *Weight) decode(raw any) error {
	weight, ok := parseWeight(raw)
	if !ok {
		return wanted(`a share in steps of 0.01% up to 100%, such as "5%"`, raw)
	}
	*w = Weight(weight)
	return nil
}

func (w Weight) literal() string { return strconv.Quote(percent(float64(w) / float64(router.Full))) }
func (Weight) unit() string      { return "share" }
func (Weight) pattern() string   { return Share(0).pattern() }
func (w Weight) rank() float64   { return float64(w) }

// parseWeight reads a percentage that is a whole number of basis points.
func parseWeight(raw any) (router.Weight, bool) {
	n, ok := parseNumber(raw, "%")
	points := math.Round(n * 100)
	if !ok || n > 100 || math.Abs(points-n*100) > 1e-6 {
		return 0, false
	}
	return router.Weight(points), true
}

func (p *Points) decode(raw any) error {
	n, ok := parseNumber(raw, "pt")
	if !ok || n > 100 {
		return wanted(`percentage points, such as "0.1pt"`, raw)
	}
	*p = Points(n / 100)
	return nil
}

func (p Points) literal() string {
	return strconv.Quote(strings.TrimSuffix(percent(float64(p)), "%") + "pt")
}
func (Points) unit() string    { return "points" }
func (Points) pattern() string { return `^\d+(\.\d+)?pt$` }
func (p Points) rank() float64 { return float64(p) }

// sizes are the units of Size, largest first.
var sizes = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func (s *Size) decode(raw any) error {
	if raw == "0" {
		*s = 0
		return nil
	}
	for _, unit := range sizes {
		n, ok := parseNumber(raw, unit.name)
		bytes := n * float64(unit.bytes)
		if ok && bytes == math.Trunc(bytes) && bytes <= 1<<52 {
			*s = Size(bytes)
			return nil
		}
	}
	return wanted(`a size in B, KiB, MiB or GiB, such as "32KiB"`, raw)
}

func (s Size) literal() string {
	for _, unit := range sizes {
		if s != 0 && int64(s)%unit.bytes == 0 {
			return fmt.Sprintf(`"%d%s"`, int64(s)/unit.bytes, unit.name)
		}
	}
	return `"0"`
}
func (Size) unit() string    { return "size" }
func (Size) pattern() string { return `^(0|\d+(\.\d+)?(B|KiB|MiB|GiB))$` }
func (s Size) rank() float64 { return float64(s) }

func (c *Count) decode(raw any) error {
	n, ok := raw.(int64)
	if !ok || n < 0 || n > math.MaxInt32 {
		return wanted("a whole number, such as 100", raw)
	}
	*c = Count(n)
	return nil
}

func (c Count) literal() string { return strconv.Itoa(int(c)) }
func (Count) unit() string      { return "number" }
func (Count) pattern() string   { return "" }
func (c Count) rank() float64   { return float64(c) }

func (f *Flag) decode(raw any) error {
	on, ok := raw.(bool)
	if !ok {
		return wanted("true or false", raw)
	}
	*f = Flag(on)
	return nil
}

func (f Flag) literal() string { return strconv.FormatBool(bool(f)) }
func (Flag) unit() string      { return "true/false" }
func (Flag) pattern() string   { return "" }

func (t *Text) decode(raw any) error {
	text, ok := raw.(string)
	if !ok {
		return wanted(`text in quotes`, raw)
	}
	*t = Text(text)
	return nil
}

func (t Text) literal() string { return quote(string(t)) }
func (Text) unit() string      { return "text" }
func (Text) pattern() string   { return "" }

// parseNumber reads an unsigned decimal number that ends in the given unit; no exponent, no space.
func parseNumber(raw any, unit string) (float64, bool) {
	text, ok := raw.(string)
	if !ok {
		return 0, false
	}
	number, ok := strings.CutSuffix(text, unit)
	if !ok || number == "" || len(number) > 20 || number[0] == '.' || strings.HasSuffix(number, ".") || strings.Trim(number, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(number, 64)
	return n, err == nil
}

// percent writes a fraction as a percentage without noise: 0.005 is "0.5%".
func percent(fraction float64) string {
	return strconv.FormatFloat(math.Round(fraction*1e12)/1e10, 'f', -1, 64) + "%"
}

// wanted says what a value should have been, and what it is.
func wanted(what string, raw any) error { return fmt.Errorf("want %s, got %s", what, show(raw)) }

// show prints a value of the file for a message: short, on one line, in ASCII.
func show(raw any) string {
	const longest = 40
	switch raw := raw.(type) {
	case string:
		if len(raw) > longest {
			return strconv.QuoteToASCII(raw[:longest]) + "..."
		}
		return strconv.QuoteToASCII(raw)
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "several tables"
	case []any:
		return "a list"
	case time.Time:
		return "a date"
	}
	return fmt.Sprint(raw)
}

// quote writes text as a TOML basic string.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
