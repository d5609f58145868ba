package journal

import (
	"errors"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// Ring is what is known of the members of a ring; Name "" is everybody else. Another Digest is other people.
type Ring struct {
	Name   string              `json:"name"`
	Digest string              `json:"digest,omitempty"`
	Halves [2]*window.Snapshot `json:"halves"` // of a window.History
	Age    time.Duration       `json:"age"`
	Past   *gate.Past          `json:"past,omitempty"` // as it was when the ring opened; nil: it is shut, or nothing was known
}

func (r Ring) check() error {
	if r.Age < 0 || r.Past != nil && (r.Past.Table == nil || r.Past.Others == nil) {
		return errors.New("implausible ring")
	}
	return nil
}
