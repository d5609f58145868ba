package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"serin/gate/calendar"
)

// Rate is a number of requests per second written as "200rps".
type Rate float64

func (r *Rate) decode(raw any) error {
	n, ok := parseNumber(raw, "rps")
	if !ok || n > 1e9 {
		return wanted(`requests per second, such as "200rps"`, raw)
	}
	*r = Rate(n)
	return nil
}

func (r Rate) literal() string {
	return strconv.Quote(strconv.FormatFloat(float64(r), 'f', -1, 64) + "rps")
}
func (Rate) unit() string    { return "rate" }
func (Rate) pattern() string { return `^\d+(\.\d+)?rps$` }
func (r Rate) rank() float64 { return float64(r) }

// Windows are the times of the week in which a rollout may widen, as written: one text or a list of them.
type Windows struct{ parsed calendar.Windows }

// maxWindows bounds a list that is looked through at every tick.
const maxWindows = 20

func (w *Windows) decode(raw any) error {
	texts, ok := raw.([]any)
	if !ok {
		texts = []any{raw}
	}
	if len(texts) == 0 || len(texts) > maxWindows {
		return fmt.Errorf("want 1 to %d windows, got %d", maxWindows, len(texts))
	}
	w.parsed = nil
	for _, one := range texts {
		text, ok := one.(string)
		if !ok {
			return wanted(`a window, such as "Mon-Thu 09:00-16:00 Europe/Berlin"`, one)
		}
		window, err := calendar.Parse(text)
		if errors.Is(err, calendar.ErrNoZone) {
			return fmt.Errorf("%s names no time zone: want such as %q", show(text), strings.TrimSuffix(text, " Local")+" Europe/Berlin")
		}
		if err != nil {
			return fmt.Errorf("%s is no window: %w", show(text), err)
		}
		w.parsed = append(w.parsed, window)
	}
	return nil
}

func (w Windows) literal() string {
	quoted := make([]string, len(w.parsed))
	for i, window := range w.parsed {
		quoted[i] = quote(window.String())
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
func (Windows) unit() string    { return "window or list of windows" }
func (Windows) pattern() string { return "" }

// RevertTable is [rollout.NAME] revert.
type RevertTable struct {
	Over  Duration `key:"over" default:"0s" max:"24h" doc:"A rollback takes the canary's share down step by step over so long, for a stable that has gone cold. Everybody stays on a bad canary the longer for it. Members of rings return at once. A second rollback, a canary without a healthy server, and a restart of serin end it at once."`
	Drain Duration `key:"drain" default:"30s" doc:"Requests and tunnels that are still under way on the canary so long after nobody is sent there any more are cut off, unless something else uses the canary's upstream too. 0s is never."`
}
