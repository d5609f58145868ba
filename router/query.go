package router

import "bytes"

// Query returns the value of the first parameter with the name in a raw query, percent-decoded, plus signs as
// spaces, so that every spelling of one user agrees; ok is false when there is none. A value without an escape
// aliases the query; a decoded one is appended to dst and cut where dst is full, so a buffer of MaxKey bytes gives
// a key all the bytes that count and nothing is ever allocated. A broken escape stands for itself.
func Query(dst, query []byte, name string) (value []byte, ok bool) {
	for len(query) > 0 {
		var pair []byte
		pair, query = cutByte(query, '&')
		key, value := cutByte(pair, '=')
		if !decodesTo(key, name) {
			continue
		}
		if bytes.IndexByte(value, '%') < 0 && bytes.IndexByte(value, '+') < 0 {
			return value, true
		}
		return appendDecoded(dst, value), true
	}
	return nil, false
}

// decodesTo reports whether the escaped text says name, without decoding it anywhere.
func decodesTo(escaped []byte, name string) bool {
	if len(escaped) < len(name) {
		return false
	}
	for i := range len(name) {
		if len(escaped) == 0 {
			return false
		}
		c, n := unescape(escaped)
		if c != name[i] {
			return false
		}
		escaped = escaped[n:]
	}
	return len(escaped) == 0
}

// appendDecoded decodes as much as fits dst's capacity.
func appendDecoded(dst, escaped []byte) []byte {
	for len(escaped) > 0 && len(dst) < cap(dst) {
		c, n := unescape(escaped)
		dst = append(dst, c)
		escaped = escaped[n:]
	}
	return dst
}

// unescape reads one byte of a form-encoded text, which is not empty, and how many bytes wrote it.
func unescape(b []byte) (c byte, n int) {
	switch b[0] {
	case '+':
		return ' ', 1
	case '%':
		if c, ok := unhex(b); ok {
			return c, 3
		}
	}
	return b[0], 1
}

// unhex reads the escape %XX at the start of b.
func unhex(b []byte) (c byte, ok bool) {
	if len(b) < 3 {
		return 0, false
	}
	high, low := digit(b[1]), digit(b[2])
	return high<<4 | low, high|low < 16
}

// digit returns a hexadecimal digit's value, or 16 for what is none.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}
