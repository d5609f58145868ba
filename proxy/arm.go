package proxy

import (
	"serin/gate/window"
	"serin/proxy/wire"
	"serin/router"
)

// Arm is one arm of an experiment: what the data plane keeps beside a router.Share.
type Arm struct {
	Name     string
	Evidence *window.Meter
	Fields   []byte // further field lines to the upstream (wire.AppendField)

	upstreamLines, clientLines []byte // as those of Split
}

// prepare renders the lines that every request of the arm carries.
func (a *Arm) prepare(s *Split) {
	lines := wire.AppendField([]byte{}, "Serin-Rollout", s.Name)
	lines = wire.AppendField(lines, "Serin-Arm", a.Name)
	a.upstreamLines = append(lines, a.Fields...)
	if s.Expose {
		a.clientLines = wire.AppendField(nil, "Serin-Arm", a.Name)
	}
}

func (s *Split) arm(a router.Arm) *Arm { return &s.Arms[int(a)%len(s.Arms)] }

// lines are what a request of the arm carries to the upstream, and its answer to the client.
func (s *Split) lines(a router.Arm) (up, client []byte) {
	if s.Arms != nil {
		arm := s.arm(a)
		return arm.upstreamLines, arm.clientLines
	}
	return s.upstreamLines[a&1], s.clientLines[a&1]
}

// armName is what people call an arm of the split.
func (s *Split) armName(a router.Arm) string {
	if s.Arms != nil {
		return s.arm(a).Name
	}
	return a.String()
}

// armMeters calls f for every meter of an experiment; keyless requests and those of stopped arms are the control's.
func (s *Split) armMeters(f func(label, *window.Meter)) {
	for i := range s.Arms {
		f(label{rollout: s.Name, named: s.Arms[i].Name}, s.Arms[i].Evidence)
	}
	control := label{rollout: s.Name, named: s.Arms[0].Name}
	f(control, s.Keyless)
	f(control, s.Other)
}
