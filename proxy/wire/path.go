package wire

// AmbiguousPath says whether r's path can be read in two ways behind us: it holds an encoded slash, backslash or NUL, a
// bare backslash, or a dot segment, encoded or with parameters ("..;x") too. Empty segments are not meant. What we match
// routes on is a normalised copy, what we forward is the path as received: a server that decodes in another order than
// the router may see another path than the one that was allowed.
func (r *Request) AmbiguousPath() bool {
	if r.Simple {
		return false
	}
	dots, segment := 0, true // dots of a segment that holds nothing else so far
	for p := r.Path; len(p) > 0; {
		c, n := p[0], 1
		if c == '%' && len(p) >= 3 && isHex(p[1]) && isHex(p[2]) {
			c, n = unhex(p[1])<<4|unhex(p[2]), 3
			if c == '/' || c == 0 {
				return true
			}
		}
		p = p[n:]
		switch {
		case c == '\\':
			return true
		case c == '/', c == ';' && n == 1:
			if segment && (dots == 1 || dots == 2) {
				return true
			}
			dots, segment = 0, c == '/'
		case c == '.':
			dots++
		default:
			segment = false
		}
	}
	return segment && (dots == 1 || dots == 2)
}

// unhex is the value of a hexadecimal digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
