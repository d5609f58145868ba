package router

import (
	"bytes"
	"strings"
)

// NormalizePath returns the one spelling of a path that routes are matched on. The raw target is what travels on:
// the normal form only decides the route, so that no second spelling of a path takes another one.
//
//   - An escape is decoded unless it stands for a delimiter (RFC 3986, section 2.2), a percent sign, a backslash or
//     a control character: %7E is ~ and %2e is a dot, but %2F is a byte of its segment and never a slash. What stays
//     escaped is written in upper case, and a percent sign that begins no escape as %25.
//   - Repeated slashes are one, and "." and ".." segments are resolved (section 5.2.4), after decoding; ".." at the
//     root is dropped. "..;" is an ordinary segment, as it is for every server that does not know path parameters.
//   - An empty path is "/"; one that does not begin with a slash (the asterisk of OPTIONS) is returned as it is.
//
// A path that is already normal is returned itself; else the result is built in dst[:0], which is grown, and so
// allocated anew, only if three times the path does not fit. Normalising twice changes nothing.
func NormalizePath(dst, path []byte) []byte {
	if len(path) == 0 {
		return append(dst[:0], '/')
	}
	if path[0] != '/' || isNormal(path) {
		return path
	}
	dst = dst[:0]
	for len(path) > 0 {
		path = bytes.TrimLeft(path, "/")
		segment := path
		if i := bytes.IndexByte(path, '/'); i >= 0 {
			segment = path[:i]
		}
		path = path[len(segment):]

		start := len(dst)
		dst = appendSegment(append(dst, '/'), segment)
		switch string(dst[start+1:]) {
		case ".":
			dst = dst[:start]
		case "..":
			dst = dst[:max(0, bytes.LastIndexByte(dst[:start], '/'))]
		default:
			continue
		}
		if len(path) == 0 { // a dot segment at the end leaves its slash
			dst = append(dst, '/')
		}
	}
	return dst
}

// isNormal reports whether a path that begins with a slash has no escape, no empty segment and no dot segment.
func isNormal(path []byte) bool {
	previous := byte(0)
	for i, c := range path {
		if c == '%' {
			return false
		}
		if previous == '/' && (c == '/' || c == '.' && isDots(path[i:])) {
			return false
		}
		previous = c
	}
	return true
}

// isDots reports whether a path's rest begins with a segment "." or "..".
func isDots(rest []byte) bool {
	rest = rest[1:]
	if len(rest) > 0 && rest[0] == '.' {
		rest = rest[1:]
	}
	return len(rest) == 0 || rest[0] == '/'
}

// appendSegment appends the segment with its escapes in normal form.
func appendSegment(dst, segment []byte) []byte {
	const digits = "0123456789ABCDEF"
	for len(segment) > 0 {
		if segment[0] != '%' {
			dst = append(dst, segment[0])
			segment = segment[1:]
			continue
		}
		c, ok := unhex(segment)
		switch {
		case !ok:
			dst = append(dst, "%25"...)
			segment = segment[1:]
			continue
		case staysEscaped(c):
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
		segment = segment[3:]
	}
	return dst
}

// staysEscaped reports whether a byte means something else, or nothing safe, when it is not escaped.
func staysEscaped(c byte) bool {
	return c < ' ' || c == 0x7F || strings.IndexByte(":/?#[]@!$&'()*+,;=%\\", c) >= 0
}
