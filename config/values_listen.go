package config

import (
	"fmt"
	"slices"
	"strings"
)

// Pseudonym is what a proxy calls itself in Via: a name, true for "serin", false or "" for none.
type Pseudonym string

func (p *Pseudonym) decode(raw any) error {
	switch raw := raw.(type) {
	case bool:
		*p = ""
		if raw {
			*p = "serin"
		}
		return nil
	case string:
		if raw == "" || isToken(raw) {
			*p = Pseudonym(raw)
			return nil
		}
	}
	return wanted(`true, false or a name such as "edge-1"`, raw)
}

func (p Pseudonym) literal() string {
	if p == "" {
		return "false"
	}
	return quote(string(p))
}
func (Pseudonym) unit() string    { return "true/false or name" }
func (Pseudonym) pattern() string { return "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$" }

// taken are names that cannot carry the choice of an arm: they frame the message, belong to one connection, or are
// written by serin.
var taken = []string{
	"connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "max-forwards", "proxy-connection",
	"serin-arm", "serin-rollout", "te", "trailer", "transfer-encoding", "upgrade", "via",
}

// force checks the name of a force header.
func (b *builder) force(at, header string) {
	place := join(at, "header")
	if b.bad[place] {
		return
	}
	if slices.Contains(taken, strings.ToLower(header)) {
		b.report(place, fmt.Sprintf("%s means something to a proxy: want a name of your own, such as %s", show(header), show("X-Arm")), "")
	}
}
