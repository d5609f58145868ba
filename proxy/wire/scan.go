package wire

import (
	"encoding/binary"
	"math/bits"
)

// Byte classes of field names and methods (RFC 9110 5.6.2).
const (
	tokenChar  = 1
	tokenUnder = 2
)

// tokens maps a byte to its class; 0: not allowed in a token.
var tokens = func() (t [256]uint8) {
	for c := range t {
		b := byte(c)
		if '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' {
			t[c] = tokenChar
		}
	}
	for _, c := range "!#$%&'*+-.^`|~" {
		t[c] = tokenChar
	}
	t['_'] = tokenChar | tokenUnder
	return t
}()

// textEnd returns the index of the first byte at or after i that can't be part of a field value (a control other than
// HTAB, or DEL), or len(b). Eight bytes at a time: in each lane without its high bit, +0x60 carries into the high bit
// from 0x20 up and +1 only at 0x7f, and no lane carries into the next.
func textEnd(b []byte, i int) int {
	const low, high = 0x7f7f7f7f7f7f7f7f, 0x8080808080808080
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		y := x & low
		odd := (^(y + 0x6060606060606060) | (y + 0x0101010101010101)) &^ x & high
		if odd == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(odd) >> 3
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && (b[i] >= ' ' && b[i] != 0x7f || b[i] == '\t') {
		i++
	}
	return i
}

// tokenEnd returns the index of the first byte at or after i that is no token character.
func tokenEnd(b []byte, i int) int {
	for i < len(b) && tokens[b[i]] != 0 {
		i++
	}
	return i
}

// isToken says whether b is a non-empty token.
func isToken(b []byte) bool { return len(b) > 0 && tokenEnd(b, 0) == len(b) }

// equalFold compares b, which holds no control characters, with a lower-case word of letters, digits and '-': only a
// letter of the other case and a control character differ from those in the bit 0x20.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

// hasPrefixFold says whether b begins with word, as equalFold.
func hasPrefixFold(b []byte, word string) bool {
	return len(b) >= len(word) && equalFold(b[:len(word)], word)
}

// equalNames compares two field names, ASCII case-insensitively.
func equalNames(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

// equalTwins compares two field names as equalNames, '_' counting as '-'.
func equalTwins(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if dash(lower(c)) != dash(lower(b[i])) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func dash(c byte) byte {
	if c == '_' {
		return '-'
	}
	return c
}

// trim cuts optional whitespace (SP, HTAB) from both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// nextElement takes the first element off a comma-separated list; empty elements are returned as such.
func nextElement(list []byte) (element, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trim(list[:i]), list[i+1:]
		}
	}
	return trim(list), nil
}

// parseDecimal reads 1*DIGIT up to the largest int64.
func parseDecimal(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return int64(n), n <= 1<<63-1
}
