package shadow

import "slices"

const (
	// Learn is how many comparisons of stable with itself come before the first judgement.
	Learn = 20
	// maxFields bounds the fields that are remembered.
	maxFields = 256
	// masks is the least share of stable's own comparisons in which a field must differ to be noise.
	masks = .01
)

// Noise knows the fields whose values differ between two answers of stable itself. Owned by one goroutine at a time.
type Noise struct {
	compared int
	fields   map[string]int
}

// Learned reports whether enough of stable was compared with itself to judge the canary.
func (n *Noise) Learned() bool { return n.compared >= Learn }

// See takes in how stable differs from itself for one request.
func (n *Noise) See(differences []Difference) {
	n.compared++
	for _, d := range differences {
		if n.fields == nil {
			n.fields = map[string]int{}
		}
		name := maskable(d)
		if name == "" {
			continue
		}
		if _, known := n.fields[name]; known || len(n.fields) < maxFields {
			n.fields[name]++
		}
	}
}

// maskable names what a difference may make noise. A status never is: an error that comes and goes is what a gate
// relative to stable is for. Neither is a field that is there or not, nor one of another type: for these a name of
// their own, so that a noisy value hides no missing field.
func maskable(d Difference) string {
	if d.Field == "status" {
		return ""
	}
	return string(d.Kind) + " " + d.Field
}

// Masks reports whether a difference is noise: stable differs from itself there in a hundredth of its comparisons, so that
// a price that changes once a day stays under watch.
func (n *Noise) Masks(d Difference) bool {
	seen := n.fields[maskable(d)]
	return seen > 0 && float64(seen) >= masks*float64(n.compared)
}

// Less returns the differences that are no noise, in place.
func (n *Noise) Less(differences []Difference) []Difference {
	return slices.DeleteFunc(differences, n.Masks)
}

// Fields are the noisy fields, in order.
func (n *Noise) Fields() []string {
	var out []string
	for name, seen := range n.fields {
		kind, field, ok := cut(name)
		if ok && n.Masks(Difference{Field: field, Kind: Kind(kind)}) && seen > 0 && !slices.Contains(out, field) {
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return out
}

func cut(name string) (kind, field string, ok bool) {
	for i := range len(name) {
		if name[i] == ' ' {
			return name[:i], name[i+1:], true
		}
	}
	return "", "", false
}
