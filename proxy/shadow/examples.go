package shadow

import (
	"cmp"
	"slices"
	"time"
)

// maxExamples is how many requests are shown for a field.
const maxExamples = 3

// Request is one request whose answers differed, redacted.
type Request struct {
	At             time.Time
	Method, Target string
	Stable, Canary string // the field's values or tags
}

// Found is one field in which the canary's answers differ, with the newest requests that showed it.
type Found struct {
	Field    string
	Kind     Kind
	Count    uint64
	Requests []Request // newest first
}

// Book keeps what was found, bounded in fields and in requests of each. Owned by one goroutine at a time.
type Book struct{ found map[string]*Found }

// Note writes differences of one request down.
func (b *Book) Note(at time.Time, method, target string, differences []Difference) {
	if b.found == nil {
		b.found = map[string]*Found{}
	}
	for _, d := range differences {
		name := string(d.Kind) + " " + d.Field
		f := b.found[name]
		if f == nil {
			if len(b.found) >= maxFields {
				continue
			}
			f = &Found{Field: d.Field, Kind: d.Kind}
			b.found[name] = f
		}
		f.Count++
		f.Requests = slices.Insert(f.Requests, 0, Request{at, method, Target(target), d.Stable, d.Canary})
		f.Requests = f.Requests[:min(len(f.Requests), maxExamples)]
	}
}

// List is a copy of what was found, most frequent first.
func (b *Book) List() []Found {
	out := make([]Found, 0, len(b.found))
	for _, f := range b.found {
		c := *f
		c.Requests = slices.Clone(f.Requests)
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Found) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Field, y.Field), cmp.Compare(x.Kind, y.Kind))
	})
	return out
}
