package config

import (
	"strconv"
	"strings"
)

// maxDepth bounds how deep tables, arrays and dotted keys may nest: far above any real file, far below what would
// exhaust the stack of a recursive parser.
const maxDepth = 32

// maxElements bounds how many elements of one array get a line of their own.
const maxElements = 256

// index remembers on which line a key path begins: "rollout.checkout.gate[2].hold" -> 31. The TOML library gives a
// value no line, so the text is read once more, for keys only.
type index struct {
	lines map[string]int
	order map[string]int // how many keys came before
	deep  int            // line where something nests deeper than maxDepth; 0: nowhere
}

// at returns the line of path, else of the nearest table above it; 0 when unknown.
func (x index) at(path string) int {
	for path != "" {
		if line, ok := x.lines[path]; ok {
			return line
		}
		path = parent(path)
	}
	return 0
}

// parent cuts the last key or element number off a path.
func parent(path string) string {
	quoted := false
	for i := len(path) - 1; i > 0; i-- {
		switch {
		case path[i] == '"':
			quoted = !quoted
		case !quoted && (path[i] == '.' || path[i] == '['):
			return path[:i]
		}
	}
	return ""
}

// join adds a key to a path, quoted where TOML would need it and shortened where nobody would read it.
func join(path, key string) string {
	const longest = 64
	bare := key != "" && strings.Trim(key, bareKey) == ""
	if len(key) > longest {
		key = key[:longest] + "..."
	}
	if !bare {
		key = `"` + strings.Trim(strconv.QuoteToASCII(strings.ReplaceAll(key, `"`, "'")), `"`) + `"`
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// element adds an element's number, from 1 as people count, to a path.
func element(path string, i int) string { return path + "[" + strconv.Itoa(i+1) + "]" }

// bareKey holds the characters a key may have without quotes.
const bareKey = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// scanner reads TOML for keys and lines. It expects valid TOML, and on anything else still ends and never panics: the
// parser speaks of the error.
type scanner struct {
	src    string
	pos    int
	line   int
	x      index
	arrays map[string]int // array tables seen so far
}

// scan indexes a whole file.
func scan(src string) index {
	s := &scanner{src: src, line: 1, x: index{lines: map[string]int{}, order: map[string]int{}}, arrays: map[string]int{}}
	table := ""
	for s.blank(true); s.pos < len(s.src); s.blank(true) {
		if s.src[s.pos] == '[' {
			table = s.header()
			continue
		}
		s.pair(table, 0)
	}
	return s.x
}

// note gives a path its line, the first time it is seen.
func (s *scanner) note(path string, line int) {
	if _, seen := s.x.lines[path]; !seen {
		s.x.lines[path] = line
		s.x.order[path] = len(s.x.order)
	}
}

// header reads "[a.b]" or "[[a.b]]" and returns the path of the table it opens.
func (s *scanner) header() string {
	s.pos++
	many := s.peek() == '['
	if many {
		s.pos++
	}
	line, path := s.line, ""
	parts := s.keys(']')
	for i, part := range parts {
		path = join(path, part)
		s.note(path, line)
		if many && i == len(parts)-1 {
			s.arrays[path]++
		}
		if n := s.arrays[path]; n > 0 {
			path = element(path, n-1)
			s.note(path, line)
		}
	}
	for s.peek() == ']' {
		s.pos++
	}
	return path
}

// pair reads "a.b = value" within a table.
func (s *scanner) pair(table string, depth int) {
	line, path := s.line, table
	for _, part := range s.keys('=') {
		path = join(path, part)
		s.note(path, line)
	}
	if s.peek() == '=' {
		s.pos++
	}
	s.value(path, depth)
}

// keys reads a dotted key up to the given end, which stays unread.
func (s *scanner) keys(end byte) []string {
	var parts []string
	for s.pos < len(s.src) {
		s.blank(false)
		switch c := s.peek(); {
		case c == end || c == '\n' || c == 0:
			if c == 0 && s.pos < len(s.src) {
				s.pos++ // a NUL: invalid, but the scan must go on
			}
			return parts
		case c == '"' || c == '\'':
			parts = append(parts, s.text())
		case c == '.':
			s.pos++
		default:
			from := s.pos
			for s.pos < len(s.src) && !strings.ContainsRune(" \t\r\n.=]\"'\x00", rune(s.src[s.pos])) {
				s.pos++
			}
			if s.pos == from {
				s.pos++
			}
			parts = append(parts, s.src[from:s.pos])
		}
		if len(parts) > maxDepth {
			s.tooDeep()
		}
	}
	return parts
}

// value reads one value and indexes what is inside it.
func (s *scanner) value(path string, depth int) {
	s.blank(false)
	switch s.peek() {
	case '"', '\'':
		s.text()
	case '[':
		s.inside(']', depth, func(i int) {
			at := element(path, i)
			if i < maxElements {
				s.note(at, s.line)
			}
			s.value(at, depth+1)
		})
	case '{':
		s.inside('}', depth, func(int) { s.pair(path, depth+1) })
	default:
		for s.pos < len(s.src) && !strings.ContainsRune(",]}#\n", rune(s.src[s.pos])) {
			s.pos++
		}
	}
}

// inside reads an array or inline table, calling each for every element.
func (s *scanner) inside(end byte, depth int, each func(i int)) {
	if depth >= maxDepth {
		s.tooDeep()
		return
	}
	s.pos++
	for i := 0; ; i++ {
		s.blank(true)
		if s.pos >= len(s.src) {
			return
		}
		if s.src[s.pos] == end {
			s.pos++
			return
		}
		before := s.pos
		each(i)
		s.blank(true)
		if s.peek() == ',' {
			s.pos++
		}
		if s.pos == before {
			s.pos++ // not TOML: go on anyway
		}
	}
}

// tooDeep ends the scan.
func (s *scanner) tooDeep() {
	if s.x.deep == 0 {
		s.x.deep = s.line
	}
	s.pos = len(s.src)
}

// text reads a string of any of the four kinds and returns what it says, escapes as they are but for the simple ones.
func (s *scanner) text() string {
	quote := s.src[s.pos : s.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s.src[s.pos:], triple) {
		quote = triple
	}
	s.pos += len(quote)
	from := s.pos
	for s.pos < len(s.src) {
		switch {
		case strings.HasPrefix(s.src[s.pos:], quote):
			to := s.pos
			s.pos += len(quote)
			for len(quote) == 3 && s.peek() == quote[0] { // quotes may touch the end: """a"""""
				s.pos++
			}
			return unescape(s.src[from:to], quote[0])
		case s.src[s.pos] == '\n':
			if len(quote) == 1 {
				return s.src[from:s.pos] // unterminated: not TOML
			}
			s.line++
		case s.src[s.pos] == '\\' && quote[0] == '"' && s.pos+1 < len(s.src) && s.src[s.pos+1] != '\n':
			s.pos++
		}
		s.pos++
	}
	return s.src[from:]
}

// unescape reads a key's escapes; one it cannot read stays as written.
func unescape(text string, quote byte) string {
	if quote == '\'' || !strings.Contains(text, `\`) {
		return text
	}
	if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
		return plain
	}
	return text
}

// blank skips white space and, where lines may end, newlines and comments.
func (s *scanner) blank(lines bool) {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\t' || c == '\r':
		case c == '\n' && lines:
			s.line++
		case c == '#' && lines:
			for s.pos+1 < len(s.src) && s.src[s.pos+1] != '\n' {
				s.pos++
			}
		default:
			return
		}
		s.pos++
	}
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos >= len(s.src) {
		return 0
	}
	return s.src[s.pos]
}
