package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func windows(t *testing.T, texts ...string) Windows {
	t.Helper()
	var ws Windows
	for _, text := range texts {
		w, err := Parse(text)
		if err != nil {
			t.Fatalf("parse %q: %v", text, err)
		}
		ws = append(ws, w)
	}
	return ws
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWindows_Open_SaysUntilWhen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, window, at string
		open             bool
		until            string // "": for ever
	}{
		{"inside", "Mon-Thu 09:00-16:00 Europe/Berlin", "2026-11-18T10:00:00+01:00", true, "2026-11-18T16:00:00+01:00"},
		{"the first moment is inside", "Mon-Thu 09:00-16:00 Europe/Berlin", "2026-11-18T09:00:00+01:00", true, "2026-11-18T16:00:00+01:00"},
		{"the last moment is outside", "Mon-Thu 09:00-16:00 Europe/Berlin", "2026-11-18T16:00:00+01:00", false, "2026-11-19T09:00:00+01:00"},
		{"over the weekend", "Mon-Thu 09:00-16:00 Europe/Berlin", "2026-11-19T16:30:00+01:00", false, "2026-11-23T09:00:00+01:00"},
		{"another zone's morning", "Mon-Thu 09:00-16:00 Europe/Berlin", "2026-11-18T08:30:00Z", true, "2026-11-18T16:00:00+01:00"},
		{"past midnight, before it", "Fri 22:00-02:00 UTC", "2026-11-20T23:00:00Z", true, "2026-11-21T02:00:00Z"},
		{"past midnight, after it", "Fri 22:00-02:00 UTC", "2026-11-21T01:59:59Z", true, "2026-11-21T02:00:00Z"},
		{"past midnight, the day before it opens", "Fri 22:00-02:00 UTC", "2026-11-20T01:00:00Z", false, "2026-11-20T22:00:00Z"},
		{"every day", "09:00-17:30 America/New_York", "2026-11-21T17:29:00-05:00", true, "2026-11-21T17:30:00-05:00"},
		{"whole days join", "Sat-Sun 00:00-24:00 Asia/Tokyo", "2026-11-21T12:00:00+09:00", true, "2026-11-23T00:00:00+09:00"},
		{"round the end of the week", "Fri-Mon 10:00-11:00 UTC", "2026-11-22T10:30:00Z", true, "2026-11-22T11:00:00Z"},
		{"always", "00:00-24:00 UTC", "2026-11-22T10:30:00Z", true, ""},
		{"single days", "Mon,Wed,Fri 10:00-11:00 UTC", "2026-11-23T11:00:00Z", false, "2026-11-25T10:00:00Z"},
		{"the day the clocks go forward lacks an hour", "Sun 01:00-09:00 Europe/Berlin", "2026-03-29T00:30:00Z", true, "2026-03-29T07:00:00Z"},
		{"the day before it opens an hour earlier by the sun", "09:00-10:00 Europe/Berlin", "2026-03-28T12:00:00Z", false, "2026-03-29T07:00:00Z"},
		{"the day the clocks go back has one more", "Sun 01:00-09:00 Europe/Berlin", "2026-10-25T00:00:00Z", true, "2026-10-25T08:00:00Z"},
		{"a beginning in the gap moves past it", "Sun 02:30-05:00 Europe/Berlin", "2026-03-29T00:45:00Z", false, "2026-03-29T01:30:00Z"},
		{"half an hour of daylight saving", "09:00-10:00 Australia/Lord_Howe", "2026-11-20T22:15:00Z", true, "2026-11-20T23:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			open, until := windows(t, tt.window).Open(moment(t, tt.at))
			var want time.Time
			if tt.until != "" {
				want = moment(t, tt.until)
			}
			if open != tt.open || !until.Equal(want) {
				t.Errorf("%q at %s: got %v until %s, want %v until %s", tt.window, tt.at, open, until.UTC(), tt.open, want.UTC())
			}
		})
	}
}

func TestWindows_Open_WhileAnyIs(t *testing.T) {
	t.Parallel()
	ws := windows(t, "Mon-Fri 09:00-12:00 UTC", "Mon-Thu 12:00-16:00 UTC", "Sat 20:00-22:00 UTC")
	if open, until := ws.Open(moment(t, "2026-11-18T10:00:00Z")); !open || !until.Equal(moment(t, "2026-11-18T16:00:00Z")) {
		t.Errorf("two that touch: got %v until %s, want open until 16:00", open, until)
	}
	if open, until := ws.Open(moment(t, "2026-11-20T13:00:00Z")); open || !until.Equal(moment(t, "2026-11-21T20:00:00Z")) {
		t.Errorf("Friday afternoon: got %v until %s, want closed until Saturday 20:00", open, until)
	}
	if open, until := Windows(nil).Open(time.Now()); !open || !until.IsZero() {
		t.Errorf("none: got %v until %s, want always open", open, until)
	}
}

// A year of every five minutes: what Open says until when is when it changes, and never earlier.
func TestWindows_Open_HoldsUntilItSays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Mon-Thu 09:00-16:00 Europe/Berlin", "Sat-Mon 22:30-03:15 America/New_York", "Tue 00:00-24:00 Australia/Lord_Howe"} {
		ws := windows(t, text)
		at := moment(t, "2026-01-01T00:00:00Z")
		open, until := ws.Open(at)
		for range 365 * 24 * 12 {
			at = at.Add(5 * time.Minute)
			now, next := ws.Open(at)
			if now != open != !at.Before(until) {
				t.Fatalf("%q at %s: got %v, want what it said until %s", text, at, now, until)
			}
			open, until = now, next
		}
	}
}

func TestParse_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              "no hours",
		"Mon-Thu":                       "no hours",
		"Mon-Thu 09:00-16:00":           "no time zone",
		"Mon-Thu 09:00-16:00 Local":     "no time zone",
		"Mon-Thu 09:00-16:00 Mars/Base": `no time zone is called "Mars/Base"`,
		"Mon-Thu 09:00-16:00 ../UTC":    "no time zone is called",
		"Moo-Thu 09:00-16:00 UTC":       `"Moo" is no day`,
		"Mon,Mon 09:00-16:00 UTC":       "Mon is named twice",
		"Mon-Thu 9-16 UTC":              `"9" is no time of day`,
		"Mon-Thu 09:00 UTC":             "no hours",
		"Mon-Thu 09:60-16:00 UTC":       `"09:60" is no time of day`,
		"Mon-Thu 09:00-25:00 UTC":       `"25:00" is no time of day`,
		"Mon-Thu 09:00-09:00 UTC":       "no time at all",
		"Mon-Thu 24:00-09:00 UTC":       "24:00 is an end",
		"Mon-Thu 09:00-16:00 UTC UTC":   "too much",
		strings.Repeat("x", 300):        "longer than",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse %q: got %v, want %q", text, err, want)
		}
	}
	if _, err := Parse("09:00-16:00"); !errors.Is(err, ErrNoZone) {
		t.Errorf("got %v, want ErrNoZone", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Mon-Thu 09:00-16:00 Europe/Berlin", "Fri 22:00-02:00 UTC", "00:00-24:00 Asia/Tokyo", "Mon,Wed 1:2-3:4 X"} {
		f.Add(seed, int64(1_795_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		w, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(w.String())
		if err != nil || again.String() != w.String() {
			t.Fatalf("%q does not read as itself: %q, %v", w.String(), again.String(), err)
		}
		at := time.Unix(unix%4_000_000_000, 0)
		open, until := Windows{w}.Open(at)
		if until.IsZero() {
			return
		}
		if !until.After(at) {
			t.Fatalf("%q at %s: open %v until %s, which is over", text, at, open, until)
		}
		if then, _ := (Windows{w}).Open(until); then == open {
			t.Fatalf("%q at %s: open %v until %s, and no other then", text, at, open, until)
		}
	})
}
