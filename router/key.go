package router

import "net/netip"

// KeySource says where a user's key is looked for.
type KeySource struct {
	Kind KeyKind
	Name string // of the header field, cookie, query parameter or claim; "" for the address
}

// String returns the source as configured: "header:X-User-Id", "ip".
func (k KeySource) String() string {
	if k.Kind == KeyIP {
		return k.Kind.String()
	}
	return k.Kind.String() + ":" + k.Name
}

// KeyKind is a place a key can come from.
type KeyKind uint8

const (
	KeyHeader KeyKind = iota
	KeyCookie
	KeyQuery
	KeyIP
	KeyMint  // cookie Name, minted when absent
	KeyClaim // claim Name of a token that is verified; else absent
)

// String returns the kind as configured.
func (k KeyKind) String() string {
	switch k {
	case KeyHeader:
		return "header"
	case KeyCookie:
		return "cookie"
	case KeyQuery:
		return "query"
	case KeyIP:
		return "ip"
	case KeyMint:
		return "mint"
	case KeyClaim:
		return "claim"
	}
	return "unknown"
}

// hash returns the hash of the first key that is present and not empty, in the order of the sources. With none, ok is
// false and mint names the cookie to make, if a source asks for one: what stands behind a mint still comes before
// minting.
func (s *Split) hash(r *Request) (hash uint64, mint string, ok bool) {
	return hashKey(s.Salt, s.Keys, s.Tokens, r)
}

func hashKey(salt uint64, keys []KeySource, tokens *Tokens, r *Request) (hash uint64, mint string, ok bool) {
	for i := range keys {
		source := &keys[i]
		var key []byte
		switch source.Kind {
		case KeyHeader:
			key, _ = Field(r.Head, source.Name)
		case KeyCookie:
			key, _ = Cookie(r.Head, source.Name)
		case KeyMint:
			key, _ = Cookie(r.Head, source.Name)
			if mint == "" {
				mint = source.Name
			}
		case KeyQuery:
			hash, ok = hashQuery(salt, r.Query, source.Name)
		case KeyIP:
			hash, ok = hashAddress(salt, r.Client.Unmap())
		case KeyClaim:
			var text string
			if text, ok = tokens.text(r, source.Name); ok {
				hash = hashText(salt, text)
			}
		}
		if len(key) > 0 {
			return HashOf(salt, key), "", true
		}
		if ok {
			return hash, "", true
		}
	}
	return 0, mint, false
}

// hashQuery is apart so that only this source pays for clearing the buffer.
func hashQuery(salt uint64, query []byte, name string) (hash uint64, ok bool) {
	var buf [MaxKey]byte
	key, _ := Query(buf[:0], query, name)
	return HashOf(salt, key), len(key) > 0
}

// hashAddress takes the address in network order, 4 bytes for IPv4 and 16 for IPv6, the zone left out; nothing when
// the client is unknown (a unix socket's peer).
func hashAddress(salt uint64, client netip.Addr) (hash uint64, ok bool) {
	switch {
	case client.Is4():
		b := client.As4()
		return HashOf(salt, b[:]), true
	case client.Is6():
		b := client.As16()
		return HashOf(salt, b[:]), true
	}
	return 0, false
}
