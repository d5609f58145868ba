// Package token verifies JSON Web Tokens (RFC 7519, RFC 7515) for audiences and key sources. What it does not vouch for does not
// exist: a token that is broken, signed by another key or with another algorithm, not valid yet or not any more has no claims.
//
//	token -> table of verified tokens -> hit: claims
//	                                  -> miss: algorithm of our key? signature? issuer, audience? -> claims, into the table
//
// The algorithm is the key's, never the token's: HS256 for a secret, RS256 for an RSA key, ES256 for a P-256 key, EdDSA for an
// Ed25519 key (RFC 8725, section 3.1). A client sends the same token for minutes to hours; the table answers all but the first of
// its requests without an allocation and without a signature being checked. Only tokens that verified are in it, so nobody fills
// it with forged ones; its size is bounded. Of a forged one a hash with a secret seed is kept, apart, so that it is checked once
// a request and not once a claim. exp and nbf are looked at every time, by the wall clock.
package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	maxToken  = 16 << 10 // bytes of a token that is looked at
	maxKept   = 4 << 10  // bytes of a token that is remembered
	slots     = 4096     // verified tokens that are remembered
	maxValues = 1000     // texts of one claim
)

// Options of a Verifier. The zero value asks for nothing but signature and time.
type Options struct {
	Issuer   string // iss must be this; "": any
	Audience string // aud must be or hold this; "": any
}

// Verifier vouches for claims; it implements router.Claims. Any number of goroutines may use it.
type Verifier struct {
	keys  Keys
	opts  Options
	seed  maphash.Seed
	table [slots]atomic.Pointer[verified]
	no    [slots]atomic.Uint64 // hashes of tokens that were refused for good; 0: none
}

// verified is a token whose signature, issuer and audience are right. Immutable.
type verified struct {
	token     []byte
	from, end float64 // nbf and exp, seconds since 1970
	claims    map[string][]string
}

// New makes a verifier of tokens signed by one of the keys.
func New(keys Keys, o Options) *Verifier {
	return &Verifier{keys: keys, opts: o, seed: maphash.MakeSeed()}
}

// Text implements router.Claims: a number is its decimal text, a list has none.
func (v *Verifier) Text(token []byte, name string) (text string, ok bool) {
	if t := v.valid(token); t != nil {
		if values := t.claims[name]; len(values) == 1 && values[0] != "" {
			return values[0], true
		}
	}
	return "", false
}

// Has implements router.Claims.
func (v *Verifier) Has(token []byte, name, is string) bool {
	t := v.valid(token)
	if t == nil {
		return false
	}
	values, ok := t.claims[name]
	return ok && (is == "" || slices.Contains(values, is))
}

// valid returns the token's claims if it is to be believed now, else nil.
func (v *Verifier) valid(token []byte) *verified {
	if len(token) == 0 || len(token) > maxToken {
		return nil
	}
	hash := maphash.Bytes(v.seed, token)
	slot, no := &v.table[hash%slots], &v.no[hash%slots]
	t := slot.Load()
	if t == nil || !bytes.Equal(t.token, token) {
		if hash != 0 && no.Load() == hash { // one request may ask for many claims
			return nil
		}
		var err error
		if t, err = v.verify(token); err != nil {
			no.Store(hash)
			return nil
		}
		if len(token) <= maxKept {
			slot.Store(t)
		}
	}
	now := time.Now()
	seconds := float64(now.Unix()) + float64(now.Nanosecond())/1e9
	if seconds < t.from || seconds >= t.end {
		return nil
	}
	return t
}

// Reasons for which a token is not believed.
var (
	errForm      = errors.New("not a signed token")
	errAlgorithm = errors.New("an algorithm that no key has")
	errSignature = errors.New("a signature by another key")
	errCritical  = errors.New("extensions that must be understood")
	errTime      = errors.New("a time that is no number")
	errIssuer    = errors.New("another issuer or audience")
)

// verify checks everything about a token that stays so.
func (v *Verifier) verify(token []byte) (*verified, error) {
	head, rest, ok := bytes.Cut(token, []byte("."))
	payload, signature, more := bytes.Cut(rest, []byte("."))
	if !ok || !more || bytes.IndexByte(signature, '.') >= 0 {
		return nil, errForm
	}
	signed := token[:len(token)-len(signature)-1]
	var h struct {
		Alg  string          `json:"alg"`
		Crit json.RawMessage `json:"crit"`
	}
	if err := decode(head, &h); err != nil {
		return nil, err
	}
	if h.Crit != nil {
		return nil, errCritical
	}
	raw, err := unbase64(signature)
	if err != nil {
		return nil, err
	}
	if err := v.keys.check(h.Alg, signed, raw); err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := decode(payload, &claims); err != nil {
		return nil, err
	}
	return v.accept(token, claims)
}

// accept reads the claims of a token whose signature is right.
func (v *Verifier) accept(token []byte, claims map[string]any) (*verified, error) {
	t := &verified{token: bytes.Clone(token), from: math.Inf(-1), end: math.Inf(1), claims: make(map[string][]string, len(claims))}
	for name, bound := range map[string]*float64{"nbf": &t.from, "exp": &t.end} {
		raw, ok := claims[name]
		if !ok {
			continue
		}
		number, ok := raw.(json.Number)
		if !ok {
			return nil, errTime
		}
		at, err := number.Float64()
		if err != nil {
			return nil, errTime
		}
		*bound = at
	}
	for name, raw := range claims {
		if values, ok := textsOf(raw); ok {
			t.claims[name] = values
		}
	}
	if v.opts.Issuer != "" && !slices.Equal(t.claims["iss"], []string{v.opts.Issuer}) ||
		v.opts.Audience != "" && !slices.Contains(t.claims["aud"], v.opts.Audience) {
		return nil, errIssuer
	}
	return t, nil
}

// textsOf is a claim as texts: one, or those of a list; false for null and tables.
func textsOf(raw any) ([]string, bool) {
	list, ok := raw.([]any)
	if !ok {
		text, ok := textOf(raw)
		return []string{text}, ok
	}
	texts := make([]string, 0, min(len(list), maxValues))
	for _, one := range list[:min(len(list), maxValues)] {
		if text, ok := textOf(one); ok {
			texts = append(texts, text)
		}
	}
	return texts, true
}

func textOf(raw any) (string, bool) {
	switch raw := raw.(type) {
	case string:
		return raw, true
	case json.Number:
		return raw.String(), true
	case bool:
		return strconv.FormatBool(raw), true
	}
	return "", false
}

// decode reads one part of a token into v.
func decode(part []byte, v any) error {
	raw, err := unbase64(part)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(v); err != nil || d.More() {
		return errForm
	}
	return nil
}

func unbase64(part []byte) ([]byte, error) {
	raw := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Strict().Decode(raw, part)
	if err != nil {
		return nil, errForm
	}
	return raw[:n], nil
}
