package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestScan_EveryWayToWriteAKey_HasItsLine(t *testing.T) {
	t.Parallel()
	x := scan(`a = 1 # b = 2
[ t . "u v" ]
s = """
[not.a.table]
k = 1 \""" """""
l = '''
'it's''''
m = [ # ]
  { x = "}" },

  { x = [1,
         2], y = 3 },
]
'quoted.dots'.k = 1
"\u0041" = 2026-11-20 07:32:00
[[list]]
k = {
  a = 1,
  b.c = 2, }
[[list]]
[list.sub]
k = 1
[[list.many]]
[[list.many]]
k = 1
`)
	for path, want := range map[string]int{
		"a": 1, `t."u v"`: 2, `t."u v".s`: 3, `t."u v".l`: 6, `t."u v".m`: 8, `t."u v".m[1].x`: 9,
		`t."u v".m[2].x`: 11, `t."u v".m[2].x[2]`: 12, `t."u v".m[2].y`: 12, `t."u v"."quoted.dots".k`: 14, `t."u v".A`: 15,
		"list": 16, "list[1].k.a": 18, "list[1].k.b.c": 19, "list[2]": 20, "list[2].sub.k": 22,
		"list[2].many[1]": 23, "list[2].many[2].k": 25,
	} {
		if got, ok := x.lines[path]; !ok || got != want {
			t.Errorf("%s: got line %d, want %d", path, got, want)
		}
	}
	for _, path := range []string{"b", "not", "not.a.table", `t."u v".k`} {
		if line, ok := x.lines[path]; ok {
			t.Errorf("%s is a key, on line %d, but stands in a string or comment", path, line)
		}
	}
}

func TestIndex_UnknownPath_HasTheLineOfItsTable(t *testing.T) {
	t.Parallel()
	x := scan("\n[a.\"b c\"]\nd = [1]\n")
	for path, want := range map[string]int{`a."b c".missing`: 2, `a."b c".d[9]`: 3, `a."x.y".z`: 2, "nowhere": 0, "": 0} {
		if got := x.at(path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestParse_HostileText_IsRefusedQuickly(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"deep list":     "a = " + strings.Repeat("[", maxBytes/2),
		"deep table":    strings.Repeat("a={", maxBytes/4),
		"deep key":      strings.Repeat("a.", maxBytes/2-2) + "a = 1",
		"deep header":   "[" + strings.Repeat("a.", maxBytes/2-2) + "a]",
		"long key":      strings.Repeat("a", maxBytes-10) + " = 1",
		"long value":    "lisen = \"" + strings.Repeat("a", maxBytes-20) + "\"",
		"long list":     "a = [" + strings.Repeat("1,", maxBytes/2-10) + "]",
		"many keys":     many("[upstream.a%d]\nservers = [\"h:1\"]\n"),
		"many routes":   many("[route.a%d]\nupstream = \"b%[1]d\"\n"),
		"many gates":    many("[[rollout.a.gate]]\nmetric = \"x%d\"\n"),
		"many rollouts": many("[rollout.a%d]\nroute = \"b%[1]d\"\n"),
		"many unknown":  many("a%d = 1\n"),
		"unclosed":      "a = \"\"\"" + strings.Repeat("\"\" \\", maxBytes/5),
		"too long":      strings.Repeat("#", maxBytes+1),
		"NUL":           "a\x00b = 1",
		"not UTF-8":     "a = \"\xff\"",
		"long servers":  "[upstream.a]\nservers = [\"" + strings.Repeat("a", maxBytes-60) + "\"]\n",
	} {
		plan, problems := Parse("serin.toml", []byte(text), sealed(nil, nil))
		if plan != nil || len(problems) == 0 {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, p := range problems[:min(len(problems), 100)] {
			if n := len(p.String()); n > 500 {
				t.Errorf("%s: a problem of %d bytes: %.200s", name, n, p)
			}
		}
	}
}

// many is a long file of one table again and again, on which work that grows with the square of their number would show.
func many(format string) string {
	var b strings.Builder
	for i := 0; b.Len() < maxBytes/8; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
