package config

import (
	"net/url"
	"slices"
	"strings"
)

// FlagPath is where flags are answered: a plain path that ends in /ofrep.
type FlagPath string

func (p *FlagPath) decode(raw any) error {
	text, ok := raw.(string)
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"
	if !ok || !strings.HasSuffix(text, "/ofrep") || text[0] != '/' || strings.Trim(text, plain) != "" || strings.Contains(text, "//") ||
		strings.Contains(text, "/.") {
		return wanted(`a path that ends in /ofrep, such as "/ofrep"`, raw)
	}
	*p = FlagPath(text)
	return nil
}

func (p FlagPath) literal() string { return quote(string(p)) }
func (FlagPath) unit() string      { return "path" }
func (FlagPath) pattern() string   { return `^/.*ofrep$` }

// Origin is where a web page comes from, as browsers write it; "*" is anywhere.
type Origin string

func (o *Origin) decode(raw any) error {
	text, ok := raw.(string)
	u, err := url.Parse(text)
	if !ok || text != "*" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Scheme+"://"+u.Host != text || strings.ToLower(text) != text) {
		return wanted(`an origin such as "https://app.example.com", or "*"`, raw)
	}
	*o = Origin(text)
	return nil
}

func (o Origin) literal() string { return quote(string(o)) }
func (Origin) unit() string      { return "origin" }
func (Origin) pattern() string   { return `^(\*|https?://[^/]+)$` }

// ofrep says where a listener answers flags. One path has one list of origins: the answers come from one place.
func (b *builder) ofrep(at string, t *ListenTable, l *Listen) {
	l.OFREP = string(t.OFREP)
	for _, o := range t.OFREPOrigins {
		l.Origins = append(l.Origins, string(o))
	}
	if l.OFREP == "" {
		if len(l.Origins) > 0 && !b.bad[join(at, "ofrep")] {
			b.warn(join(at, "ofrep_origins"), "does nothing without ofrep")
		}
		return
	}
	if len(b.config.Flag) == 0 {
		b.warn(join(at, "ofrep"), "there is no [flag.NAME] to answer")
	}
	for _, other := range b.plan.Listen {
		if other.OFREP == l.OFREP && !slices.Equal(other.Origins, l.Origins) {
			b.report(join(at, "ofrep_origins"), "another listener answers flags at the same path for other origins", "give both the same, or another path")
		}
	}
}
