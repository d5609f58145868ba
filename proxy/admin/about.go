package admin

import (
	"os"
	"time"
)

// about is what the page's foot and its banners say of the daemon itself.
func (s *Server) about() Daemon {
	status, now := s.status(), time.Now()
	zone, offset := now.Zone()
	d := Daemon{
		Node: s.node, Serin: s.o.Version, Zone: zone, OffsetSeconds: offset,
		Config:  DaemonConfig{File: status.File, OK: true},
		Journal: DaemonJournal{OK: status.Journal.Available, Error: status.Journal.Err},
		Freeze:  freezeOf(status.Freeze),
	}
	if s.o.Configuration != nil {
		r := s.o.Configuration.Reloads()
		d.Config.OK, d.Config.LoadedAt, d.Config.Problems = r.LastGood, r.LastGoodSuccess.Round(0), r.Problems
	}
	return d
}

// nodeName is the machine's name; empty where it has none.
func nodeName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
