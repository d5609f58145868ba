// Package shadow compares the answers that two versions gave to the same request, and learns which of their fields differ
// even between two answers of the same version. It is pure: no clock, no network.
//
//	user's answer (stable) --+-- canary's answer to a copy  -> Compare -> differences -> less what is noise -> match?
//	                         +-- stable's answer to a copy  -> Compare -> Noise learns which fields never agree
//
// Compared are the status, the chosen fields of the head and the body: as JSON, field by field, where both say they are
// JSON; else byte by byte. An object's keys may come in any order. Numbers may differ by a relative tolerance, RFC 3339
// times by a duration. A field is named by its path with every index left out ("$.items[].price"), so that a list of a
// thousand is one field.
//
// Answers hold people's data. What leaves this package names fields, never values: keys that look like data (digits,
// mail addresses, anything long) are written "*", and values are shown as a tag that only says whether two are the same.
package shadow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math"
	"strings"
	"time"
)

const (
	// maxDifferences is how many differences one comparison tells of; more are more of the same.
	maxDifferences = 32
	// maxDepth is how deep a document is compared.
	maxDepth = 64
	// maxKey is how long an object's key may be to be shown.
	maxKey = 40
)

// Answer is one whole answer. Its slices are the caller's.
type Answer struct {
	Status   int
	Headers  [][]byte // values of Rules.Headers, in their order; nil: absent
	Type     []byte   // Content-Type
	Encoding []byte   // Content-Encoding as received; Body is decoded where that was possible
	Body     []byte
}

// Rules say what is compared and how closely. The zero Rules compare status and body exactly. Immutable.
type Rules struct {
	Headers []string      // names
	Ignore  []string      // fields left out: "$.generated_at", "$.items[].id", "header Date"; a prefix takes all below it
	Numbers float64       // relative tolerance of JSON numbers: 0.001 is a thousandth
	Times   time.Duration // tolerance of RFC 3339 times in JSON strings
	Values  bool          // differences carry the values themselves, cut short
	Seed    maphash.Seed  // of the tags that stand for values; required without Values
}

// Kind is how two answers differ in a field.
type Kind string

const (
	Value   Kind = "value"   // another value of the same type
	Type    Kind = "type"    // another JSON type
	Missing Kind = "missing" // only stable has it
	Added   Kind = "added"   // only the canary has it
	Length  Kind = "length"  // lists of different lengths
)

// Difference is one field in which the canary's answer differs.
type Difference struct {
	Field          string // "status", "header Content-Type", "body", "$.items[].price"
	Kind           Kind
	Stable, Canary string // the values or their tags; "" where there is none
}

// Compare returns the differences of two answers to the same request, at most maxDifferences, ignored fields left out.
func (r *Rules) Compare(stable, canary *Answer) []Difference {
	c := comparison{rules: r}
	if stable.Status != canary.Status {
		// A status is no secret, and the rest of an error has nothing to do with the rest of a success.
		c.list = append(c.list, Difference{"status", Value, fmt.Sprint(stable.Status), fmt.Sprint(canary.Status)})
		return c.list
	}
	for i, name := range r.Headers {
		c.header(name, stable.Headers[i], canary.Headers[i])
	}
	c.body(stable, canary)
	return c.list
}

type comparison struct {
	rules *Rules
	list  []Difference
}

func (c *comparison) add(field string, k Kind, stable, canary string) {
	if len(c.list) < maxDifferences && !c.rules.ignores(field) {
		c.list = append(c.list, Difference{field, k, stable, canary})
	}
}

// ignores reports whether field, or something it lies in, is left out.
func (r *Rules) ignores(field string) bool {
	for _, name := range r.Ignore {
		rest, below := strings.CutPrefix(field, name)
		if below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

func (c *comparison) header(name string, stable, canary []byte) {
	field := "header " + name
	switch {
	case bytes.Equal(stable, canary) && (stable == nil) == (canary == nil):
	case stable == nil:
		c.add(field, Added, "", c.show(string(canary)))
	case canary == nil:
		c.add(field, Missing, c.show(string(stable)), "")
	default:
		c.add(field, Value, c.show(string(stable)), c.show(string(canary)))
	}
}

func (c *comparison) body(stable, canary *Answer) {
	if bytes.Equal(stable.Body, canary.Body) {
		return
	}
	if isJSON(stable.Type) && isJSON(canary.Type) {
		a, okA := document(stable.Body)
		b, okB := document(canary.Body)
		switch {
		case okA && okB:
			c.value("$", a, b, 0)
			return
		case okA != okB:
			c.add("body", Type, jsonOrNot(okA), jsonOrNot(okB))
			return
		}
	}
	c.add("body", Value, c.show(string(stable.Body)), c.show(string(canary.Body)))
}

func jsonOrNot(ok bool) string {
	if ok {
		return "JSON"
	}
	return "not JSON"
}

// isJSON reports whether a media type is JSON or built on it.
func isJSON(mediaType []byte) bool {
	name, _, _ := bytes.Cut(mediaType, []byte(";"))
	name = bytes.ToLower(bytes.TrimSpace(name))
	return string(name) == "application/json" || bytes.HasSuffix(name, []byte("+json"))
}

// document decodes a whole JSON text; numbers stay text.
func document(b []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// value compares two decoded values at a path.
func (c *comparison) value(path string, a, b any, depth int) {
	if len(c.list) >= maxDifferences || depth > maxDepth || c.rules.ignores(path) {
		return
	}
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			c.object(path, a, b, depth)
			return
		}
	case []any:
		if b, ok := b.([]any); ok {
			c.array(path, a, b, depth)
			return
		}
	case json.Number:
		if b, ok := b.(json.Number); ok {
			if !c.near(a, b) {
				c.add(path, Value, c.show(string(a)), c.show(string(b)))
			}
			return
		}
	case string:
		if b, ok := b.(string); ok {
			if a != b && !c.sameTime(a, b) {
				c.add(path, Value, c.show(a), c.show(b))
			}
			return
		}
	case bool:
		if b, ok := b.(bool); ok {
			if a != b {
				c.add(path, Value, c.show(fmt.Sprint(a)), c.show(fmt.Sprint(b)))
			}
			return
		}
	case nil:
		if b == nil {
			return
		}
	}
	c.add(path, Type, typeOf(a), typeOf(b))
}

func (c *comparison) object(path string, a, b map[string]any, depth int) {
	for _, key := range sortedKeys(a, b) {
		va, inA := a[key]
		vb, inB := b[key]
		below := path + "." + Key(key)
		switch {
		case inA && inB:
			c.value(below, va, vb, depth+1)
		case inA:
			c.add(below, Missing, typeOf(va), "")
		default:
			c.add(below, Added, "", typeOf(vb))
		}
	}
}

func (c *comparison) array(path string, a, b []any, depth int) {
	if len(a) != len(b) {
		c.add(path, Length, fmt.Sprint(len(a)), fmt.Sprint(len(b)))
	}
	seen := map[[2]string]bool{} // a field of a list is one difference, however many elements have it
	for i := range min(len(a), len(b)) {
		from := len(c.list)
		c.value(path+"[]", a[i], b[i], depth+1)
		kept := c.list[:from]
		for _, d := range c.list[from:] {
			if name := [2]string{d.Field, string(d.Kind)}; !seen[name] {
				seen[name] = true
				kept = append(kept, d)
			}
		}
		c.list = kept
	}
}

// near compares numbers: as written, as values, within the tolerance.
func (c *comparison) near(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	if errX != nil || errY != nil {
		return false
	}
	if x == y {
		return len(a) < 16 && len(b) < 16 // longer ones may differ where a float does not
	}
	return math.Abs(x-y) <= c.rules.Numbers*max(math.Abs(x), math.Abs(y))
}

// sameTime reports whether two strings are times within the tolerance.
func (c *comparison) sameTime(a, b string) bool {
	if c.rules.Times <= 0 || len(a) < len("2006-01-02T15:04:05Z") || len(b) < len("2006-01-02T15:04:05Z") {
		return false
	}
	x, errX := time.Parse(time.RFC3339, a)
	y, errY := time.Parse(time.RFC3339, b)
	return errX == nil && errY == nil && x.Sub(y).Abs() <= c.rules.Times
}

func typeOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case json.Number:
		return "number"
	case string:
		return "string"
	case bool:
		return "boolean"
	}
	return "null"
}
