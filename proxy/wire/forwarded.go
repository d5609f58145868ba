package wire

import "net/netip"

// ClientAddr is the believed address of the user: peer, unless peer is in trusted; then the X-Forwarded-For lines are
// walked from the right over trusted addresses to the first one that is not (the leftmost if all are). An entry that is
// no address ends the walk at the last believed hop. trusted nil: peer. No allocation.
func ClientAddr(r *Request, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	panic("BUG: filled in next")
}

// Trusted says whether addr (IPv4-mapped IPv6 counts as IPv4) is in one of the prefixes.
func Trusted(addr netip.Addr, prefixes []netip.Prefix) bool { panic("BUG: filled in next") }
