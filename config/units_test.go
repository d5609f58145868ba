package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestUnits_WhatIsWritten_IsReadAndWrittenAgain(t *testing.T) {
	t.Parallel()
	f := func(v value, raw any, want any, literal string) {
		t.Helper()
		if err := v.decode(raw); err != nil {
			t.Errorf("%v: %v", raw, err)
			return
		}
		if got := reflect.ValueOf(v).Elem().Interface(); got != want {
			t.Errorf("%v: got %v, want %v", raw, got, want)
		}
		if got := v.literal(); got != literal {
			t.Errorf("%v: written as %s, want %s", raw, got, literal)
		}
	}
	f(new(Duration), "15m", Duration(15*time.Minute), `"15m"`)
	f(new(Duration), "90s", Duration(90*time.Second), `"1m30s"`)
	f(new(Duration), "7d", Duration(7*24*time.Hour), `"168h"`)
	f(new(Duration), "1h0m5s", Duration(time.Hour+5*time.Second), `"1h0m5s"`)
	f(new(Duration), "10h", Duration(10*time.Hour), `"10h"`)
	f(new(Duration), "250us", Duration(250*time.Microsecond), `"250us"`)
	f(new(Duration), "0s", Duration(0), `"0s"`)
	f(new(Share), "0.5%", Share(.005), `"0.5%"`)
	f(new(Share), "100%", Share(1), `"100%"`)
	f(new(Weight), "12.34%", Weight(1234), `"12.34%"`)
	f(new(Weight), "0.07%", Weight(7), `"0.07%"`)
	f(new(Points), "0.1pt", Points(.001), `"0.1pt"`)
	f(new(Size), "32KiB", Size(32<<10), `"32KiB"`)
	f(new(Size), "1.5KiB", Size(1536), `"1536B"`)
	f(new(Size), "0", Size(0), `"0"`)
	f(new(Count), int64(7), Count(7), "7")
	f(new(Flag), true, Flag(true), "true")
	f(new(Text), "a\"b\\\n\x7f", Text("a\"b\\\n\x7f"), `"a\"b\\\u000A\u007F"`)
}

func TestUnits_WhatIsNot_IsRefusedWithAnExample(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]any{
		"Duration": {new(Duration), "", "15", "15 m", "-1s", "+1s", "1.5d", "99999d", "999999999h", "m", int64(15), 1.5, nil, true},
		"Share":    {new(Share), "5", "5 %", "-5%", "+5%", "1e1%", "NaN%", "Inf%", "101%", ".5%", "5.%", "1.2.3%", "1_0%", "%", int64(5), 0.05},
		"Weight":   {new(Weight), "0.001%", "100.01%", "5", "5pt"},
		"Points":   {new(Points), "0.1", "0.1%", "101pt", "-1pt"},
		"Size":     {new(Size), "32", "32KB", "32 KiB", "0.3B", "-1B", "99999999GiB", int64(32)},
		"Count":    {new(Count), int64(-1), int64(1) << 40, "1", 1.0},
		"Flag":     {new(Flag), "true", int64(1)},
	} {
		for _, raw := range rows[1:] {
			err := rows[0].(value).decode(raw)
			if err == nil {
				t.Errorf("%s: %s accepted %#v", name, name, raw)
			} else if !strings.HasPrefix(err.Error(), "want ") {
				t.Errorf("%s: %#v: got %q, want an example", name, raw, err)
			}
		}
	}
}

func TestDistance_NearWords_AreFound(t *testing.T) {
	t.Parallel()
	f := func(word, want string) {
		t.Helper()
		if got := Suggest(word, slices.Values([]string{"servers", "stable", "ladder", "every", "error_rate"})); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	f("server", "servers")
	f("satble", "stable")
	f("lader", "ladder")
	f("evry", "every")
	f("errorrate", "error_rate")
	f("x", "")
	f("completely_else", "")
	f(strings.Repeat("a", 1<<20), "")
	f("stable", "")
	if d := distance("ab", "ba"); d != 1 {
		t.Errorf("a swap of neighbours is %s", strconv.Itoa(d))
	}
}

func TestWindows_WithoutAZone_AreShownOne(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Mon-Thu 09:00-16:00", "Mon-Thu 09:00-16:00 Local"} {
		err := new(Windows).decode(text)
		if want := `want such as "Mon-Thu 09:00-16:00 Europe/Berlin"`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
