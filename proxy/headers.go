package proxy

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	random "math/rand/v2"
	"net/netip"

	"serin/router"
)

// cookieLife is a year, in seconds.
const cookieLife = "31536000"

// address fills in what serin adds to the request.
func (x *exchange) address() {
	c, o := x.client, &x.outgoing
	o.Peer, o.Trusted, o.TLS = c.peerText, c.trusted, c.accepted.Secure
	o.Host, o.Via = x.pool.Host(), c.options.Via
	o.Random = [3]uint64{random.Uint64(), random.Uint64(), random.Uint64()}
	if s := o.Span; s != nil && !s.Remote { // request and trace have one id: logs and traces join
		o.Random[0], o.Random[1] = binary.BigEndian.Uint64(s.Trace[:8]), binary.BigEndian.Uint64(s.Trace[8:])
	}
	o.Lines, o.Keep, o.Drop = nil, "", x.snap.Drop
	if x.split != nil {
		o.Lines, x.answer.Lines = x.split.lines(x.choice.Arm)
		o.Keep, o.Drop = x.split.Force, x.split.Drop
		x.answer.Drop = x.split.Hide
	} else if s := x.route.Split; s != nil { // in nobody's audience: no arm, and the flags are off
		beside := x.snap.Splits[s.ID]
		o.Lines, o.Drop = beside.Outside, beside.Drop
		x.answer.Drop = beside.Hide
	}
}

// mint makes a key of 128 random bits, decides by it, and has the answer set it as a cookie.
func (x *exchange) mint() (s *router.Split) {
	var raw [16]byte
	var key [2 * len(raw)]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	hex.Encode(key[:], raw[:])
	name := x.choice.Mint
	s, x.choice = x.route.ChooseKey(&x.routed, key[:])
	b := append(x.cookie[:0], "Set-Cookie: "...)
	b = append(b, name...)
	b = append(b, '=')
	b = append(b, key[:]...)
	b = append(b, "; Path=/; Max-Age="+cookieLife+"; HttpOnly; SameSite=Lax"...)
	if x.client.accepted.Secure || x.client.trusted && x.request.ForwardedTLS() {
		b = append(b, "; Secure"...)
	}
	x.cookie = append(b, "\r\n"...)
	x.answer.SetCookie = x.cookie
	return s
}

// addressKey is the key of a user without one where the same user shall meet the same server.
func addressKey(addr netip.Addr) uint64 {
	b := addr.As16()
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return bits.RotateLeft64(h, 32)
}
