package router

import "bytes"

// Field returns the value of the first field line with the name, in any spelling of its letters, without the
// white space around it; ok is false when there is none. Head is raw field lines ended by CRLF; the value aliases
// it. Later lines of the same name are never looked at: what one proxy in front of us and one behind us would join
// with a comma must not change a user's arm.
func Field(head []byte, name string) (value []byte, ok bool) {
	value, _, ok = nextField(head, name)
	return value, ok
}

// nextField is Field that also returns the lines after the one found.
func nextField(head []byte, name string) (value, rest []byte, ok bool) {
	n := len(name)
	if n == 0 {
		return nil, nil, false
	}
	first := name[0] | 0x20
	for len(head) > n {
		end := bytes.IndexByte(head, '\n')
		if end < 0 {
			end = len(head)
		}
		// The colon's place and the first letter settle nearly every line.
		if n < end && head[n] == ':' && head[0]|0x20 == first && equalFold(head[:n], name) {
			return trimSpace(trimCR(head[n+1 : end])), head[min(end+1, len(head)):], true
		}
		head = head[min(end+1, len(head)):]
	}
	return nil, nil, false
}

// Cookie returns the value of the first cookie with the name, found by scanning every Cookie line in place; ok is
// false when there is none. Names are compared exactly, as RFC 6265 has them. White space around name and value is
// no part of them; quotes are part of the value, because a browser stores and returns them like any other byte
// (RFC 6265, section 5.2).
func Cookie(head []byte, name string) (value []byte, ok bool) {
	for {
		line, rest, found := nextField(head, "Cookie")
		if !found {
			return nil, false
		}
		if value, ok = cookieIn(line, name); ok {
			return value, true
		}
		head = rest
	}
}

// cookieIn looks through one Cookie line's pairs.
func cookieIn(line []byte, name string) (value []byte, ok bool) {
	for len(line) > 0 {
		var pair []byte
		pair, line = cutByte(line, ';')
		pair = trimSpace(pair)
		if len(pair) <= len(name) || string(pair[:len(name)]) != name {
			continue
		}
		after := trimSpace(pair[len(name):])
		if len(after) > 0 && after[0] == '=' {
			return trimSpace(after[1:]), true
		}
	}
	return nil, false
}

// equalFold compares ASCII letters without their case and every other byte exactly. The lengths are equal.
func equalFold(b []byte, s string) bool {
	for i, c := range b {
		if lower(c) != lower(s[i]) {
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

// cutByte splits b at the first sep; after is empty when there is none.
func cutByte(b []byte, sep byte) (before, after []byte) {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// trimCR cuts what is left of the line's end.
func trimCR(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] == '\r' {
		return b[:len(b)-1]
	}
	return b
}

// trimSpace cuts spaces and tabs, HTTP's optional white space (RFC 9110, section 5.6.3).
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
