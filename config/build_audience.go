package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"serin/router"
	"serin/router/token"
)

// Audience is one built audience.
type Audience struct {
	*router.Audience
	Digest string // another one has other members: its conditions, or a file of its, changed
	Means  string // the same, whatever files say
}

// Ring is an audience as a rung of a rollout's ladder.
type Ring struct{ Name, Digest string }

// audiences builds what people are named, and who verifies their tokens.
func (b *builder) audiences() {
	b.tokens = b.jwt()
	b.people = map[string]*Audience{}
	for _, name := range inOrder(b, "audience", b.config.Audience) {
		b.audience(name, nil)
	}
}

// jwt builds the verifier of tokens; nil where the file has none.
func (b *builder) jwt() *router.Tokens {
	t := b.config.JWT
	if t == nil {
		return nil
	}
	tokens := &router.Tokens{Header: string(t.Header)}
	if t.Cookie != nil {
		tokens.Cookie = b.tokenText("jwt.cookie", *t.Cookie, "cookie")
		if b.given["jwt.header"] {
			b.report("jwt.cookie", "a token is in a header or in a cookie, never in both", "")
		}
	}
	if b.anyBad("jwt") {
		return tokens
	}
	text, err := b.opts.resolve(b.dir, t.Key.Secret)
	if err == nil {
		var keys token.Keys
		if keys, err = token.ParseKeys([]byte(text)); err == nil {
			tokens.Claims = token.New(keys, token.Options{Issuer: textOf(t.Issuer), Audience: textOf(t.Aud)})
		}
	}
	if err != nil {
		b.report("jwt.key", err.Error(), "")
	}
	if t.Key.Source == "file" {
		b.reads(within(b.dir, t.Key.Name))
	}
	return tokens
}

func textOf(t *Text) string {
	if t == nil {
		return ""
	}
	return string(*t)
}

// tokenText checks a cookie's name.
func (b *builder) tokenText(at string, name Text, what string) string {
	if !isToken(string(name)) && !b.bad[at] {
		b.report(at, fmt.Sprintf("%s is no name for a %s", show(string(name)), what), "")
	}
	return string(name)
}

// reads notes a file beside the configuration whose change is a reload.
func (b *builder) reads(path string) {
	if !slices.Contains(b.plan.Files, path) {
		b.plan.Files = append(b.plan.Files, path)
	}
}

// audience builds one audience, those it names before it; within are those that are being built. nil where there is none.
func (b *builder) audience(name string, within []string) *Audience {
	if a, done := b.people[name]; done {
		return a
	}
	t, at := b.config.Audience[name], join("audience", name)
	if t == nil { // its table was wrong
		return nil
	}
	a := &Audience{Audience: &router.Audience{Name: name}}
	salt := b.audienceSalt(at, name, t)
	digest, means := sha256.New(), sha256.New()
	if jwt := b.config.JWT; jwt != nil {
		fmt.Fprintf(digest, "%s %s %s %s\n", jwt.Header, textOf(jwt.Cookie), textOf(jwt.Issuer), textOf(jwt.Aud))
	}
	w := &effective{}
	w.table(at, false, reflect.ValueOf(t).Elem())
	digest.Write([]byte(w.b.String()))
	means.Write([]byte(w.b.String()))
	for _, list := range []struct {
		key  string
		from []PredicateTable
		to   *[]router.Predicate
	}{{"any", t.Any, &a.Any}, {"all", t.All, &a.All}, {"not", t.Not, &a.Not}} {
		for i := range list.from {
			p, read := b.predicate(b.elementOf(join(at, list.key), i), &list.from[i], salt, append(within, name))
			fmt.Fprintf(digest, "%s\n", read)
			if p.Audience != nil {
				fmt.Fprintf(means, "%s\n", b.people[p.Audience.Name].Means)
			}
			*list.to = append(*list.to, p)
		}
	}
	if t.Share != nil {
		a.Share, a.Salt = router.Weight(*t.Share), salt
	}
	a.Digest, a.Means = hex.EncodeToString(digest.Sum(nil)[:8]), hex.EncodeToString(means.Sum(nil)[:4])
	if !b.anyBad(at) {
		if err := a.Check(); err != nil {
			b.report(at, err.Error(), "")
		}
	}
	b.people[name] = a
	b.plan.Audiences = append(b.plan.Audiences, *a)
	return a
}

// audienceSalt is the seed of an audience's share, apart from any rollout's.
func (b *builder) audienceSalt(at, name string, t *AudienceTable) uint64 {
	path := join(at, "salt")
	if t.Salt == nil {
		t.Salt = &Salt{Text: name}
	}
	text := t.Salt.Text
	if t.Salt.Secret.Source != "" && !b.bad[path] {
		var err error
		if text, err = b.opts.resolve(b.dir, t.Salt.Secret); err != nil {
			b.report(path, err.Error(), "")
		}
	}
	return router.Salt("audience/" + text)
}

// predicate builds one condition, and returns what its members depend on beside its own text.
func (b *builder) predicate(at string, t *PredicateTable, salt uint64, within []string) (p router.Predicate, read string) {
	asked := 0
	ask := func(there bool, kind router.Kind) bool {
		if there {
			p.Kind = kind
			asked++
		}
		return there
	}
	if ask(t.Header != nil, router.IsHeader) {
		p.Name = string(*t.Header)
	}
	if ask(t.Cookie != nil, router.IsCookie) {
		p.Name = b.tokenText(join(at, "cookie"), *t.Cookie, "cookie")
	}
	if ask(t.Query != nil, router.IsQuery) {
		p.Name = b.checkedName(join(at, "query"), *t.Query)
	}
	if ask(t.Claim != nil, router.IsClaim) {
		p.Name, p.Tokens = b.checkedName(join(at, "claim"), *t.Claim), b.claims(join(at, "claim"))
	}
	if ask(t.CIDR != nil, router.IsClient) {
		for _, network := range t.CIDR {
			p.Networks = append(p.Networks, network.Prefix)
		}
	}
	if ask(t.Host != nil, router.IsHost) {
		for _, host := range t.Host {
			p.Hosts = append(p.Hosts, string(host))
		}
	}
	if ask(t.Path != nil, router.IsPath) {
		p.Path = string(*t.Path)
	}
	if ask(t.KeyFile != nil, router.IsKey) {
		p.Keys, read = b.keyFile(join(at, "key_file"), string(*t.KeyFile))
	}
	if ask(t.Share != nil, router.IsShare) {
		p.Share, p.Salt = router.Weight(*t.Share), salt
	}
	if ask(t.Audience != nil, router.IsMember) {
		p.Audience, read = b.memberOf(join(at, "audience"), string(*t.Audience), within)
	}
	b.one(at, t, asked, &p)
	return p, read
}

// one checks that a condition asks for one thing, in a way that can hold.
func (b *builder) one(at string, t *PredicateTable, asked int, p *router.Predicate) {
	switch {
	case b.anyBad(at):
		return
	case asked == 0:
		b.report(at, "a condition of nothing: want one of header, cookie, query, claim, cidr, host, path, key_file, share or audience", "")
	case asked > 1:
		b.report(at, "a condition asks for one thing: write several, in all", "")
	case p.Kind == router.IsClient && len(p.Networks) == 0, p.Kind == router.IsHost && len(p.Hosts) == 0:
		b.report(at, "an empty list: nobody could be meant", "")
	case p.Kind == router.IsPath && p.Path == "":
		b.report(at, "an empty path: want one such as \"/beta/*\"", "")
	}
	if t.Is == nil {
		return
	}
	switch p.Kind {
	case router.IsHeader, router.IsCookie, router.IsQuery, router.IsClaim:
		p.Is = string(*t.Is)
	default:
		b.report(join(at, "is"), "goes with header, cookie, query or claim", "")
	}
}

// checkedName checks the name of a parameter or claim.
func (b *builder) checkedName(at string, name Text) string {
	if !b.bad[at] && (name == "" || len(name) > 256 || strings.ContainsAny(string(name), "\x00\r\n")) {
		b.report(at, fmt.Sprintf("%s is no name", show(string(name))), "")
	}
	return string(name)
}

// claims is who vouches for claims; a file that asks for one without a key is refused.
func (b *builder) claims(at string) *router.Tokens {
	b.claimed = true
	if b.tokens == nil && !b.bad["jwt"] {
		b.report(at, `nobody verifies tokens, and an unverified claim is anybody's: want [jwt] with a key, such as key = { file = "jwt.pem" }`, "")
	}
	return b.tokens
}

// memberOf resolves the name of another audience.
func (b *builder) memberOf(at, name string, within []string) (*router.Audience, string) {
	switch {
	case slices.Contains(within, name):
		b.report(at, fmt.Sprintf("audience %s names itself: %s", show(name), strings.Join(append(within, name), " -> ")), "")
		return nil, ""
	case b.config.Audience[name] == nil && !b.bad[join("audience", name)]:
		b.dangling(at, "audience", name, maps.Keys(b.config.Audience))
		return nil, ""
	}
	b.meant[name] = true
	a := b.audience(name, within)
	if a == nil || b.anyBad(join("audience", name)) {
		for path := at; path != ""; path = parent(path) { // reported there: nothing is built of it
			b.within[path] = true
		}
		return nil, ""
	}
	return a.Audience, a.Digest
}

// ring resolves the audience of a stage; false where there is none, which is reported.
func (b *builder) ring(at string, name Text) bool {
	if b.bad[at] {
		return false
	}
	b.meant[string(name)] = true
	if b.config.Audience[string(name)] == nil {
		if !b.bad[join("audience", string(name))] {
			b.dangling(at, "audience", string(name), maps.Keys(b.config.Audience))
		}
		return false
	}
	return true
}

// rings are the audiences of a ladder, in its order, each once.
func (b *builder) rings(at string, r *Rollout) {
	for _, stage := range r.Policy.Stages {
		a := b.people[stage.Audience]
		if a == nil || slices.ContainsFunc(r.Rings, func(ring Ring) bool { return ring.Name == stage.Audience }) {
			continue
		}
		r.Rings = append(r.Rings, Ring{Name: stage.Audience, Digest: a.Digest + r.Policy.People})
		r.Split.Rings = append(r.Split.Rings, a.Audience)
	}
	if len(r.Rings) > router.MaxRings {
		b.report(join(at, "stage"), fmt.Sprintf("%d audiences: want at most %d", len(r.Rings), router.MaxRings), "")
	}
}

// meaning warns about people nobody means and verifiers nobody asks.
func (b *builder) meaning() {
	for _, name := range inOrder(b, "audience", b.config.Audience) {
		if !b.meant[name] {
			b.warn(join("audience", name), "no stage, rollout or experiment names this audience")
		}
	}
	if b.config.JWT != nil && !b.claimed {
		b.warn("jwt", "no audience and no key asks for a claim")
	}
}
