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

// Lanes of a word: the same byte eight times.
const (
	lanes = 0x0101010101010101
	low   = lanes * 0x7f
	high  = lanes * 0x80
)

// textEnd returns the index of the first byte at or after i that can't be part of a field value (a control other than
// HTAB, or DEL), or len(b). Sixteen bytes at a time while all of them are printable ASCII: without a high bit anywhere,
// +1 sets one at DEL and -0x20 borrows one below SP.
func textEnd(b []byte, i int) int {
	for len(b)-i >= 16 {
		w := b[i : i+16 : i+16]
		x, y := binary.LittleEndian.Uint64(w), binary.LittleEndian.Uint64(w[8:])
		if ((x+lanes)|(x-lanes*' ')|x|(y+lanes)|(y-lanes*' ')|y)&high != 0 {
			break
		}
		i += 16
	}
	for len(b)-i >= 8 {
		odd := oddText(binary.LittleEndian.Uint64(b[i : i+8 : i+8]))
		if odd == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(odd) >> 3; b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && (b[i] >= ' ' && b[i] != 0x7f || b[i] == '\t') {
		i++
	}
	return i
}

// oddText has the high bit of each lane set that holds a control or DEL; no lane carries into the next.
func oddText(x uint64) uint64 {
	y := x & low
	return (^(y + lanes*(0x80-' ')) | (y + lanes*(0x80-0x7f))) &^ x & high
}

// nameEnd returns the index of the first byte at or after i that is no token character, and the classes of those before
// it. Letters, digits and '-' are passed eight at a time.
func nameEnd(b []byte, i int) (end int, class uint8) {
	for len(b)-i >= 8 {
		odd := oddName(binary.LittleEndian.Uint64(b[i : i+8 : i+8]))
		if odd == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(odd) >> 3; tokens[b[i]] == 0 {
			return i, class
		}
		class |= tokens[b[i]]
		i++
	}
	for i < len(b) && tokens[b[i]] != 0 {
		class |= tokens[b[i]]
		i++
	}
	return i, class
}

// oddName has the high bit of each lane set that is no letter, digit or '-'; no lane carries into the next.
func oddName(x uint64) uint64 {
	y := x & low
	folded := y | lanes*0x20
	letter := (folded + lanes*(0x80-'a')) &^ (folded + lanes*(0x7f-'z'))
	digit := (y + lanes*(0x80-'0')) &^ (y + lanes*(0x7f-'9'))
	other := (y ^ lanes*'-') + low // no high bit at '-'
	return (other&^(letter|digit) | x) & high
}

// tokenEnd returns the index of the first byte at or after i that is no token character.
func tokenEnd(b []byte, i int) int {
	for j, c := range b[i:] {
		if tokens[c] == 0 {
			return i + j
		}
	}
	return len(b)
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
