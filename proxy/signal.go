package proxy

import "serin/router"

// Signals takes business signals from a field of the upstream's answers. Immutable.
type Signals struct {
	Header string // taken off before the client sees the answer
	// Hear is told of the field's value and of who answered whom. It is called by many goroutines and must not wait; field is
	// the proxy's, and valid during the call only.
	Hear func(arm router.Arm, bucket router.Bucket, field []byte)
}

// signal hears what the answer says of its user; address keeps the field from the client. A signal counts where its request
// does: what a forced request, one without a key or one of a drill's brings about is nobody's evidence.
func (x *exchange) signal(s *Signals) {
	if field := x.response.Value(s.Header); field != nil && x.choice.Why == router.ByWeight && x.own() && !x.recorded {
		s.Hear(x.choice.Arm, x.choice.Bucket, field)
	}
}
