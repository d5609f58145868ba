package upstream

import (
	"context"
	"errors"
	"testing"
)

// Nobody looks after the connections of a pool that has been cut: one that is made a moment too late would wait for ever.
func TestDrain_CutsWhileAConnectionIsBeingMade_ItIsNotLent(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	p := newPool(t, Spec{Servers: []ServerSpec{far.spec()}})
	s, _, refused := p.take(0, nil, nil, false, false)
	if refused != nil {
		t.Fatal(refused)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Drain(over); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the drain cut off", err)
	}
	conn, failed := p.dial(s)
	if conn != nil {
		t.Fatal("a connection was lent")
	}
	wantReason(t, failed, Closed)
	if st := p.Status(); st.InFlight != 0 || st.Servers[0].Connections != 0 {
		t.Errorf("left behind: %+v", st)
	}
	if err := p.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
