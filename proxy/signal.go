package proxy

import "serin/router"

// Signals takes business signals from a field of the upstream's answers. Immutable.
type Signals struct {
	Header string // taken off before the client sees the answer
	// Hear is told of the field's value and of who answered whom. It is called by many goroutines and must not wait; field is
	// the proxy's, and valid during the call only.
	Hear func(arm router.Arm, bucket router.Bucket, field []byte)
}

// signal hears what the answer says of its user, and keeps the field from the client. What a forced request or one without
// a key brings about is nobody's evidence.
func (x *exchange) signal(s *Signals) {
	field := x.response.Value(s.Header)
	if field == nil {
		return
	}
	x.answer.Drop = s.Header
	if x.choice.Why == router.ByWeight {
		s.Hear(x.choice.Arm, x.choice.Bucket, field)
	}
}
