package window

import (
	"encoding/json"
	"fmt"
	"math/bits"
)

// Mask is a set of buckets left out of evidence, frozen when a rollout begins (gate.md, section 5). Its JSON is the list
// of its buckets.
type Mask [(Buckets + 63) / 64]uint64

// Has reports whether bucket b is in the set; out of range is not.
func (m *Mask) Has(b uint16) bool {
	return m != nil && int(b>>6) < len(m) && m[b>>6]&(1<<(b&63)) != 0
}

// Set puts bucket b into the set; out of range is ignored. Only before the mask is in use.
func (m *Mask) Set(b uint16) {
	if b < Buckets {
		m[b>>6] |= 1 << (b & 63)
	}
}

// Count is the number of buckets in the set.
func (m *Mask) Count() int {
	if m == nil {
		return 0
	}
	n := 0
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}

// MarshalJSON writes the buckets in ascending order.
func (m *Mask) MarshalJSON() ([]byte, error) {
	list := []uint16{}
	for b := range uint16(Buckets) {
		if m.Has(b) {
			list = append(list, b)
		}
	}
	return json.Marshal(list)
}

// UnmarshalJSON replaces the set. A bucket out of range is an error and changes nothing.
func (m *Mask) UnmarshalJSON(b []byte) error {
	var list []uint16
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("read mask: %w", err)
	}
	var set Mask
	for _, bucket := range list {
		if bucket >= Buckets {
			return fmt.Errorf("read mask: bucket %d is not below %d", bucket, Buckets)
		}
		set.Set(bucket)
	}
	*m = set
	return nil
}
