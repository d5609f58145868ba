package config

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"serin/gate"
	"serin/router"
)

// Token is somebody who may use the admin API, known by a secret of which only the hash is kept. Safe for concurrent use.
type Token struct {
	Name    string
	Words   map[string]bool // what it may do; "advance" stands for promote and approve up to Ceiling
	Ceiling router.Weight   // 0: none
	Owns    []string

	credential *credential
}

// Is reports whether a secret with this SHA-256 is the token's.
func (t *Token) Is(given [sha256.Size]byte) bool {
	return t.credential != nil && t.credential.is(given)
}

// May reports whether the token has the right to a verb of the API, or to read, signals, drill or reload.
func (t *Token) May(word string) bool {
	return t.Words["admin"] || t.Words[word] || t.Words["advance"] && (word == "promote" || word == "approve")
}

// Rights are the token's in the gate. A ceiling does not bind admin.
func (t *Token) Rights() *gate.Rights {
	r := &gate.Rights{Admin: t.Words["admin"], Owns: t.Owns, Ceiling: t.Ceiling}
	if r.Admin {
		r.Ceiling = 0
	}
	return r
}

// bearers builds who may use the admin API.
func (b *builder) bearers() {
	for _, name := range inOrder(b, "token", b.config.Token) {
		t, at := b.config.Token[name], join("token", name)
		if name == gate.ActorGate || name == gate.ActorSerin {
			b.report(at, "is how the journal names what decides by itself: want another name", "")
		}
		token := Token{Name: name, Words: map[string]bool{}}
		for _, right := range t.May {
			token.Words[right.Word] = true
			if right.Word == "advance" && (token.Ceiling == 0 || right.Ceiling < token.Ceiling) {
				token.Ceiling = right.Ceiling
			}
		}
		for _, owner := range t.Owns {
			token.Owns = append(token.Owns, string(owner))
		}
		if len(t.May) == 0 && !b.bad[join(at, "may")] {
			b.report(join(at, "may"), `no right: want at least one, such as ["read"]`, "")
		}
		if token.Words["admin"] && token.Ceiling > 0 {
			b.warn(join(at, "may"), "admin has no ceiling: advance does nothing beside it")
		}
		b.credentialOf(at, t, &token)
		b.plan.Tokens = append(b.plan.Tokens, token)
	}
}

// credentialOf reads a token's secret.
func (b *builder) credentialOf(at string, t *TokenTable, token *Token) {
	place := join(at, "secret")
	if b.bad[place] {
		return
	}
	c, err := newCredential(b.dir, t.Secret.Secret, b.opts)
	if err != nil {
		b.report(place, err.Error(), "")
		return
	}
	for i := range b.plan.Tokens {
		if other := b.plan.Tokens[i].credential; other != nil && other.hash == c.hash {
			b.report(place, fmt.Sprintf("is the secret of token %s too: nobody could tell them apart", b.plan.Tokens[i].Name), "")
		}
	}
	token.credential = c
}

// adminTLS builds the admin listener's TLS, and refuses an address that others reach without TLS and tokens.
func (b *builder) adminTLS() {
	t := b.config.Admin.TLS
	if t != nil && !b.anyBad("admin.tls") {
		b.plan.Admin.Files = strings.Join([]string{string(t.Cert), string(t.Key), string(t.ClientCA)}, " ")
		var err error
		if b.plan.Admin.TLS, err = serverTLS(t, b.dir, b.opts); err != nil {
			b.report("admin.tls", err.Error(), "")
		}
	}
	if b.bad["admin.address"] || loopback(string(b.config.Admin.Address)) {
		return
	}
	var lacks []string
	if t == nil {
		lacks = append(lacks, "admin.tls")
	}
	if len(b.config.Token) == 0 {
		lacks = append(lacks, "a [token.NAME]")
	}
	if len(lacks) > 0 {
		b.report("admin.address", fmt.Sprintf("an address off the loopback needs TLS and tokens: %s missing", strings.Join(lacks, " and ")+areOrIs(lacks)),
			`or use "127.0.0.1:9180" or "unix:/run/serin/admin.sock"`)
	}
}

func areOrIs(list []string) string {
	if len(list) > 1 {
		return " are"
	}
	return " is"
}

// loopback reports whether only this machine reaches an address.
func loopback(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
