package router

// Claims vouches for the claims of a token (RFC 7519). What it does not vouch for is absent: a token that is no token, not
// signed by the right key, not valid yet or not any more. It is called by any number of goroutines while requests are routed.
type Claims interface {
	// Text is a claim's text; false for a claim that is absent, empty or no text.
	Text(token []byte, name string) (text string, ok bool)
	// Has reports whether a claim is there and, unless is is "", equal to it or a list with it in it.
	Has(token []byte, name, is string) bool
}

// Tokens says where a request carries its token, and who vouches for it. A nil Tokens finds none.
type Tokens struct {
	Header string // field; of Authorization what follows "Bearer "
	Cookie string // in place of Header
	Claims Claims
}

func (t *Tokens) has(r *Request, name, is string) bool {
	token := t.find(r)
	return len(token) > 0 && t.Claims.Has(token, name, is)
}

func (t *Tokens) text(r *Request, name string) (string, bool) {
	token := t.find(r)
	if len(token) == 0 {
		return "", false
	}
	return t.Claims.Text(token, name)
}

// find returns the request's token, in place; nil where there is none.
func (t *Tokens) find(r *Request) []byte {
	if t == nil {
		return nil
	}
	if t.Cookie != "" {
		token, _ := Cookie(r.Head, t.Cookie)
		return token
	}
	const scheme = "Bearer "
	value, _ := Field(r.Head, t.Header)
	if len(value) > len(scheme) && equalFold(value[:len(scheme)], scheme) {
		return trimSpace(value[len(scheme):])
	}
	if len(t.Header) == len("Authorization") && equalFold([]byte(t.Header), "Authorization") {
		return nil // another scheme
	}
	return value
}
