package shadow

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxShown is how much of a value is shown where values are asked for.
const maxShown = 80

// show is a value as a difference tells it: cut short where values are asked for, else a tag. Tags are keyed by a seed of
// the process, so they tell two values apart and cannot be looked up.
func (c *comparison) show(v string) string {
	if !c.rules.Values {
		return fmt.Sprintf("#%d", uint32(maphash.String(c.rules.Seed, v)))
	}
	short := strings.Map(printable, strings.ToValidUTF8(v[:min(len(v), 4*maxShown)], "?"))
	if len(short) > maxShown {
		cut := maxShown
		for !utf8.RuneStart(short[cut]) {
			cut--
		}
		short = short[:cut] + "..."
	}
	return short
}

// printable keeps control characters out of terminals.
func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return ' '
	}
	return r
}

// Key is an object's key as a path tells it: names are shown, what looks like data is "*".
func Key(key string) string {
	if key == "" || len(key) > maxKey {
		return "*"
	}
	digits := 0
	for i := range len(key) {
		switch b := key[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '_', b == '$':
		case b >= '0' && b <= '9' && i > 0:
			digits++
		case b == '-' && i > 0:
		default:
			return "*"
		}
	}
	if digits > 2 { // "line2" is a name, "u48213" is somebody
		return "*"
	}
	return key
}

// Target is a request's path as an example tells it: segments that look like data are "*", the query is left out.
func Target(target string) string {
	path, _, query := strings.Cut(target, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s != "" {
			segments[i] = Key(strings.ReplaceAll(s, ".", "_"))
			if segments[i] != "*" {
				segments[i] = s
			}
		}
	}
	path = strings.Join(segments, "/")
	if len(path) > 2*maxShown {
		path = path[:2*maxShown] + "..."
	}
	if query {
		return path + "?..."
	}
	return path
}

// sortedKeys are the keys of both objects, in order, so that the same two answers always differ in the same way.
func sortedKeys(a, b map[string]any) []string {
	keys := slices.Collect(maps.Keys(a))
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
