package wire

import (
	"net/netip"
	"unsafe"
)

// ClientAddr is the believed address of the user: peer, unless peer is in trusted; then the X-Forwarded-For lines are
// walked from the right over trusted addresses to the first one that is not (the leftmost if all are). An entry that is
// no address ends the walk at the last believed hop. trusted nil: peer. No allocation.
func ClientAddr(r *Request, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	peer = peer.Unmap()
	if r.seen&(1<<kindForwardedFor) == 0 || !Trusted(peer, trusted) {
		return peer
	}
	believed := peer
	for i := len(r.Fields) - 1; i >= 0; i-- {
		f := &r.Fields[i]
		if f.kind != kindForwardedFor {
			continue
		}
		list := r.buf[f.Value:f.ValueEnd]
		for len(list) > 0 {
			var entry []byte
			entry, list = lastElement(list)
			addr, ok := parseHop(entry)
			if !ok {
				return believed
			}
			if believed = addr; !Trusted(addr, trusted) {
				return believed
			}
		}
	}
	return believed
}

// Trusted says whether addr (IPv4-mapped IPv6 counts as IPv4) is in one of the prefixes. The zero Prefix stands for the
// peers of a unix socket, whose address is the zero Addr.
func Trusted(addr netip.Addr, prefixes []netip.Prefix) bool {
	addr = addr.Unmap()
	for _, p := range prefixes {
		if p.Contains(addr) || !addr.IsValid() && !p.IsValid() {
			return true
		}
	}
	return false
}

// lastElement takes the last element off a comma-separated list.
func lastElement(list []byte) (element, rest []byte) {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == ',' {
			return trim(list[i+1:]), list[:i]
		}
	}
	return trim(list), nil
}

// maxHop is the longest text of an address with port: "[" IPv6 "]:65535".
const maxHop = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")

// ForwardedTLS says whether X-Forwarded-Proto calls the user's connection https. Whoever may not be believed says it too.
func (r *Request) ForwardedTLS() bool {
	first, _ := nextElement(r.Value("X-Forwarded-Proto"))
	return len(first) == len("https") && equalNames(first, "https")
}

// parseHop reads an address as proxies write it: 1.2.3.4, 1.2.3.4:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80.
func parseHop(b []byte) (netip.Addr, bool) {
	if len(b) == 0 || len(b) > maxHop {
		return netip.Addr{}, false
	}
	colons, end := 0, len(b)
	for i, c := range b {
		switch c {
		case '%':
			return netip.Addr{}, false // a zone means nothing on another machine
		case ':':
			colons++
			end = i
		}
	}
	switch {
	case b[0] == '[':
		close := 1
		for close < len(b) && b[close] != ']' {
			close++
		}
		if close == len(b) || close+1 < len(b) && !validPort(b[close+1:]) {
			return netip.Addr{}, false
		}
		b = b[1:close]
	case colons == 1:
		if !validPort(b[end:]) {
			return netip.Addr{}, false
		}
		b = b[:end]
	}
	if len(b) == 0 {
		return netip.Addr{}, false
	}
	// The string lives for this call only: ParseAddr keeps no part of a text without zone, and its error, which quotes
	// the text, is dropped here.
	addr, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return addr.Unmap(), err == nil
}

// validPort checks ":digits".
func validPort(b []byte) bool {
	if len(b) < len(":0") || len(b) > len(":65535") || b[0] != ':' {
		return false
	}
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// appendForwardedFor rebuilds the one X-Forwarded-For line: what trusted hops said, then the peer (duty 48 of bench/wire).
func appendForwardedFor(dst []byte, r *Request, o *Outgoing) []byte {
	const name = "X-Forwarded-For: "
	start := len(dst)
	dst = append(dst, name...)
	if o.Trusted && r.seen&(1<<kindForwardedFor) != 0 {
		for i := range r.Fields {
			f := &r.Fields[i]
			if f.kind == kindForwardedFor && f.Value < f.ValueEnd {
				dst = append(dst, r.buf[f.Value:f.ValueEnd]...)
				dst = append(dst, ", "...)
			}
		}
	}
	dst = append(dst, o.Peer...)
	switch {
	case len(dst) == start+len(name):
		return dst[:start]
	case len(o.Peer) == 0:
		dst = dst[:len(dst)-len(", ")]
	}
	return append(dst, "\r\n"...)
}
