package window

// Mask is a set of buckets left out of evidence, frozen when a rollout begins (gate.md, section 5).
type Mask [(10_000 + 63) / 64]uint64

// Has reports whether bucket b is in the set; out of range is not.
func (m *Mask) Has(b uint16) bool {
	return m != nil && int(b>>6) < len(m) && m[b>>6]&(1<<(b&63)) != 0
}
