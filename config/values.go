package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"serin/gate/criterion"
	"serin/router"
)

// tokenBytes are what RFC 9110, section 5.6.2, allows in a field name, a method or a cookie's name.
const tokenBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isToken reports whether text is a non-empty RFC 9110 token of sensible length.
func isToken(text string) bool {
	return text != "" && len(text) <= 256 && strings.Trim(text, tokenBytes) == ""
}

// Header is the name of a header field.
type Header string

func (h *Header) decode(raw any) error {
	text, ok := raw.(string)
	if !ok || !isToken(text) {
		return wanted(`the name of a header, such as "X-User-Id"`, raw)
	}
	*h = Header(text)
	return nil
}

func (h Header) literal() string { return quote(string(h)) }
func (Header) unit() string      { return "header name" }
func (Header) pattern() string   { return "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }

// Method is a request method, upper case.
type Method string

func (m *Method) decode(raw any) error {
	text, ok := raw.(string)
	if !ok || !isToken(text) || text != strings.ToUpper(text) {
		return wanted(`a method in capitals, such as "GET"`, raw)
	}
	*m = Method(text)
	return nil
}

func (m Method) literal() string { return quote(string(m)) }
func (Method) unit() string      { return "method" }
func (Method) pattern() string   { return "^[!#$%&'*+.^_`|~0-9A-Z-]+$" }

// Key says where a user's key is looked for: "header:X-User-Id", "cookie:uid", "claim:sub", "query:u", "ip" or "mint:NAME".
type Key struct{ router.KeySource }

// keyKinds are the places a key can come from.
var keyKinds = map[string]router.KeyKind{
	"header": router.KeyHeader,
	"cookie": router.KeyCookie,
	"query":  router.KeyQuery,
	"mint":   router.KeyMint,
	"claim":  router.KeyClaim,
}

func (k *Key) decode(raw any) error {
	text, ok := raw.(string)
	if !ok {
		return wanted(`where the user's key is, such as "header:X-User-Id"`, raw)
	}
	if text == "ip" {
		k.KeySource = router.KeySource{Kind: router.KeyIP}
		return nil
	}
	word, name, _ := strings.Cut(text, ":")
	kind, ok := keyKinds[word]
	if !ok {
		return wanted(`"header:NAME", "cookie:NAME", "claim:NAME", "query:NAME", "ip" or "mint:NAME"`, raw)
	}
	if kind != router.KeyQuery && kind != router.KeyClaim && !isToken(name) || name == "" || strings.ContainsAny(name, "&=# \x00") {
		return fmt.Errorf("%s is no name for a %s", show(name), word)
	}
	k.KeySource = router.KeySource{Kind: kind, Name: name}
	return nil
}

func (k Key) literal() string { return quote(k.String()) }
func (Key) unit() string      { return "key source" }
func (Key) pattern() string   { return `^(ip|(header|cookie|claim|query|mint):.+)$` }

// Rungs are the rungs of a ladder in its short forms, as written: one text or a list of them.
type Rungs []string

func (r *Rungs) decode(raw any) error {
	const longest = 64
	switch raw := raw.(type) {
	case string:
		*r = Rungs{raw}
		if len(raw) > longest {
			return wanted(`shares, such as ["1%", "5%", "100%"] or "2% x2"`, raw)
		}
		return nil
	case []any:
		*r = nil
		for _, one := range raw {
			text, ok := one.(string)
			if !ok || len(text) > longest {
				return wanted(`shares in quotes, such as ["1%", "5%", "100%"]`, one)
			}
			*r = append(*r, text)
		}
		if len(*r) > 0 {
			return nil
		}
		return errors.New(`no rung: want shares, such as ["1%", "5%", "100%"]`)
	}
	return wanted(`shares, such as ["1%", "5%", "100%"] or "2% x2"`, raw)
}

func (r Rungs) literal() string {
	quoted := make([]string, len(r))
	for i, text := range r {
		quoted[i] = quote(text)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
func (Rungs) unit() string    { return "share or list of shares" }
func (Rungs) pattern() string { return "" }

// Limit is one limit of a gate, as written and as the criteria read it.
type Limit struct {
	text   string
	parsed *criterion.Limit // nil: not readable
}

func (l *Limit) decode(raw any) error {
	const longest = 64
	text, ok := raw.(string)
	switch n := raw.(type) { // limits on what is measured elsewhere are plain numbers
	case int64:
		text, ok = strconv.FormatInt(n, 10), true
	case float64:
		text, ok = strconv.FormatFloat(n, 'f', -1, 64), true
	}
	if !ok || text == "" || len(text) > longest {
		return wanted(`a limit, such as "stable + 0.5pt"`, raw)
	}
	parsed, err := criterion.ParseLimit(text)
	if err != nil {
		return err
	}
	*l = Limit{text: text, parsed: parsed}
	return nil
}

func (l Limit) literal() string { return quote(l.text) }
func (Limit) unit() string      { return "limit" }
func (Limit) pattern() string {
	return `^(stable *([+-] *\d+(\.\d+)?(pt|ms|s)|[*] *\d+(\.\d+)?)|\d+(\.\d+)?(%|ms|s)|-?\d+(\.\d+)?)$`
}

// HostPattern is a host, exact or "*.example.com".
type HostPattern string

func (h *HostPattern) decode(raw any) error {
	text, ok := raw.(string)
	if !ok {
		return wanted(`a host such as "shop.example.com"`, raw)
	}
	*h = HostPattern(text)
	return checkMatch(router.Match{Hosts: []string{text}})
}

func (h HostPattern) literal() string { return quote(string(h)) }
func (HostPattern) unit() string      { return "host" }
func (HostPattern) pattern() string   { return `^.+$` }

// PathPattern is a path, exact or with a star at its end; "" is every path.
type PathPattern string

func (p *PathPattern) decode(raw any) error {
	text, ok := raw.(string)
	if !ok {
		return wanted(`a path such as "/checkout/*"`, raw)
	}
	*p = PathPattern(text)
	return checkMatch(router.Match{Path: text})
}

func (p PathPattern) literal() string { return quote(string(p)) }
func (PathPattern) unit() string      { return "path" }
func (PathPattern) pattern() string   { return `^(/.*)?$` }

// checkMatch asks the router whether a pattern can match at all.
func checkMatch(m router.Match) error {
	_, err := router.NewTable([]*router.Route{{Match: m}})
	if inner := errors.Unwrap(err); inner != nil {
		return inner // without the name of the route, which the key path says
	}
	return err
}
