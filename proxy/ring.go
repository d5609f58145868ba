package proxy

import (
	"serin/gate/window"
	"serin/router"
)

// Rings counts the members of a split's rings apart. Its meters outlive the stage: what members did on the version in service is
// what they are compared with once they are on the other.
type Rings struct {
	Evidence uint8           // the ring, from 1, whose members on the canary are the stage's evidence; 0: a share of the users is
	Members  *window.Meter   // members on the canary where they are no evidence
	Settled  router.Arm      // the version in service
	Past     []*window.Meter // requests there, by router.Choice.Ring
}

// canary is where a member's request on the canary is counted.
func (r *Rings) canary(c router.Choice, evidence *window.Meter) *window.Meter {
	if r == nil || c.Ring == r.Evidence {
		return evidence
	}
	return r.Members
}

// past is where a request is counted beside its meter; nil: nowhere.
func (r *Rings) past(c router.Choice) *window.Meter {
	if r == nil || c.Why != router.ByWeight || c.Arm != r.Settled || int(c.Ring) >= len(r.Past) {
		return nil
	}
	return r.Past[c.Ring]
}
