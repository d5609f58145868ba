package router

import (
	"errors"
	"slices"
	"strings"
)

// rule is what a request must satisfy once host and path agree.
type rule struct {
	route   int // index in Table.routes
	methods []string
	headers []FieldMatch
}

func newRule(route int, m *Match) (rule, error) {
	if err := checkPath(m.Path); err != nil {
		return rule{}, err
	}
	for _, h := range m.Headers {
		if h.Name == "" {
			return rule{}, errors.New("a header condition without a name")
		}
	}
	return rule{route: route, methods: m.Methods, headers: m.Headers}, nil
}

func (c *rule) matches(r *Request) bool {
	if len(c.methods) > 0 && !contains(c.methods, r.Method) {
		return false
	}
	for i := range c.headers {
		value, ok := Field(r.Head, c.headers[i].Name)
		if !ok || c.headers[i].Is != "" && string(value) != c.headers[i].Is {
			return false
		}
	}
	return true
}

func contains(names []string, name []byte) bool {
	for _, n := range names {
		if n == string(name) {
			return true
		}
	}
	return false
}

// precedes orders rules of one host and path: what asks for more comes first.
func (c *rule) precedes(d *rule) int {
	switch {
	case len(c.methods) > 0 != (len(d.methods) > 0):
		return len(d.methods) - len(c.methods)
	case len(c.headers) != len(d.headers):
		return len(d.headers) - len(c.headers)
	}
	return c.route - d.route
}

// sameAs reports whether two rules take exactly the same requests.
func (c *rule) sameAs(d *rule) bool {
	return sameSet(c.methods, d.methods) && sameSet(fieldTexts(c.headers), fieldTexts(d.headers))
}

func fieldTexts(fields []FieldMatch) []string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = strings.ToLower(f.Name) + ":" + f.Is
	}
	return texts
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
