// Package calendar says when a release may widen: windows of the week in a time zone. It is pure: the moment is given.
//
//	Mon-Thu 09:00-16:00 Europe/Berlin      days, hours, zone
//	Mon,Wed,Fri 22:00-02:00 UTC            past midnight: the days are those on which it opens
//	09:00-17:30 America/New_York           every day
//	Sat-Sun 00:00-24:00 Asia/Tokyo         whole days
//
// A window opens and closes at times of day as the clocks of its zone show them, so it follows summer time: on the day the
// clocks go forward a window of eight hours over the gap lasts seven. A time of day that such a day does not have is moved
// to the other side of the gap; one that comes twice counts once.
package calendar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones, for images that have none
)

// Window is one stretch of the week. The zero value is never open; Parse makes them.
type Window struct {
	days     [7]bool // on which it opens, by time.Weekday
	from, to int     // minutes of the day; to is beyond 24 h where it closes on the next day
	zone     *time.Location
	text     string
}

// Windows are open while any of them is. Without any they are always open.
type Windows []Window

// ErrNoZone says that a window names no time zone.
var ErrNoZone = errors.New("no time zone: want a name such as Europe/Berlin, or UTC")

const (
	day      = 24 * 60 // minutes
	maxBytes = 200
)

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Parse reads "[DAYS] HH:MM-HH:MM ZONE".
func Parse(text string) (Window, error) {
	if len(text) > maxBytes {
		return Window{}, fmt.Errorf("longer than %d bytes", maxBytes)
	}
	words := strings.Fields(text)
	w := Window{text: strings.Join(words, " "), days: [7]bool{true, true, true, true, true, true, true}}
	if len(words) > 0 && !strings.Contains(words[0], ":") {
		var err error
		if w.days, err = days(words[0]); err != nil {
			return Window{}, err
		}
		words = words[1:]
	}
	switch {
	case len(words) == 0:
		return Window{}, errors.New("no hours: want such as 09:00-16:00")
	case len(words) > 2:
		return Window{}, fmt.Errorf("%q is too much: want days, hours and a zone", words[2])
	}
	if err := w.hours(words[0]); err != nil {
		return Window{}, err
	}
	if len(words) == 1 {
		return Window{}, ErrNoZone
	}
	if words[1] == "Local" {
		return Window{}, ErrNoZone
	}
	zone, err := time.LoadLocation(words[1])
	if err != nil {
		return Window{}, fmt.Errorf("no time zone is called %q: want a name such as Europe/Berlin, or UTC", words[1])
	}
	w.zone = zone
	return w, nil
}

// days reads "Mon-Thu,Sat"; a range may go round the end of the week.
func days(text string) (set [7]bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		from, err := weekday(first)
		if err != nil {
			return set, err
		}
		to := from
		if ranged {
			if to, err = weekday(last); err != nil {
				return set, err
			}
		}
		for d := from; ; d = (d + 1) % 7 {
			if set[d] {
				return set, fmt.Errorf("%s is named twice", time.Weekday(d).String()[:3])
			}
			set[d] = true
			if d == to {
				break
			}
		}
	}
	return set, nil
}

func weekday(text string) (int, error) {
	if d := slices.Index(dayNames[:], strings.ToLower(text)); d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q is no day: want Mon, Tue, Wed, Thu, Fri, Sat or Sun", text)
}

// hours reads "09:00-16:00".
func (w *Window) hours(text string) error {
	first, last, ok := strings.Cut(text, "-")
	if !ok {
		return fmt.Errorf("%q are no hours: want such as 09:00-16:00", text)
	}
	var err error
	if w.from, err = minutes(first); err != nil {
		return err
	}
	if w.to, err = minutes(last); err != nil {
		return err
	}
	switch {
	case w.from == day:
		return errors.New("24:00 is an end, no beginning: want 00:00")
	case w.from == w.to:
		return fmt.Errorf("%s is no time at all: a whole day is 00:00-24:00", text)
	case w.to < w.from:
		w.to += day
	}
	return nil
}

func minutes(text string) (int, error) {
	if len(text) == 5 && text[2] == ':' {
		h, hErr := strconv.ParseUint(text[:2], 10, 8)
		m, mErr := strconv.ParseUint(text[3:], 10, 8)
		if hErr == nil && mErr == nil && m < 60 && (h < 24 || h == 24 && m == 0) {
			return int(h*60 + m), nil
		}
	}
	return 0, fmt.Errorf("%q is no time of day: want such as 09:00", text)
}

// String is the window as it was written.
func (w Window) String() string { return w.text }

// Open reports whether the windows are open at a moment, and until when that holds; zero is for ever.
func (ws Windows) Open(at time.Time) (open bool, until time.Time) {
	if len(ws) == 0 {
		return true, time.Time{}
	}
	for _, s := range ws.stretches(at) {
		if at.Before(s.from) {
			return false, s.from
		}
		if at.Before(s.to) {
			if s.to.Sub(at) > 8*day*time.Minute {
				return true, time.Time{}
			}
			return true, s.to
		}
	}
	return false, time.Time{}
}

// stretch is one time of being open.
type stretch struct{ from, to time.Time }

// stretches are the times of being open from two days before to ten days after a moment, merged and in order: the
// pattern of a week, whatever the zones.
func (ws Windows) stretches(at time.Time) []stretch {
	var all []stretch
	for _, w := range ws {
		y, m, d := at.In(w.zone).Date()
		for i := -2; i <= 10; i++ {
			noon := time.Date(y, m, d+i, 12, 0, 0, 0, w.zone)
			if w.days[noon.Weekday()] {
				all = append(all, stretch{w.moment(y, m, d+i, w.from), w.moment(y, m, d+i, w.to)})
			}
		}
	}
	slices.SortFunc(all, func(a, b stretch) int { return a.from.Compare(b.from) })
	merged := all[:0]
	for _, s := range all {
		if n := len(merged); n > 0 && !s.from.After(merged[n-1].to) {
			if s.to.After(merged[n-1].to) {
				merged[n-1].to = s.to
			}
			continue
		}
		if s.to.After(s.from) {
			merged = append(merged, s)
		}
	}
	return merged
}

// moment is a time of day, in minutes, of a date.
func (w Window) moment(y int, m time.Month, d, minute int) time.Time {
	return time.Date(y, m, d, minute/60, minute%60, 0, 0, w.zone)
}
