package control

import (
	"slices"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/journal"
	"serin/gate/window"
)

// staleAfter is how old the newest reading of a history may be to speak for the time before a ring opened.
const staleAfter = 30 * time.Minute

// rings is what is known of the members of a rollout's rings: what they did on the version in service, lately, and, of the rings
// that are open, as it was when they opened. Owned by the loop's goroutine.
type rings struct {
	of     []config.Ring
	past   []history             // of everybody else, of the members of each ring
	frozen map[string]*gate.Past // by ring
	base   *window.Snapshot      // members on the canary who are no evidence, of the same step in a process before; nil: none
}

// history is one window.History and its newest reading.
type history struct {
	window.History
	total uint64
	at    time.Time
}

func newRings(of []config.Ring) rings {
	return rings{of: of, past: make([]history, len(of)+1), frozen: map[string]*gate.Past{}}
}

// look takes the meters in.
func (r *rings) look(reading *Reading, now time.Time) {
	if len(reading.Past) != len(r.past) {
		return
	}
	for i, s := range reading.Past {
		h, total := &r.past[i], s.Total()
		switch {
		case total == h.total:
			continue
		case total < h.total: // the data plane began anew
			h.Rebase()
		}
		if !h.at.IsZero() && now.Sub(h.at) > staleAfter {
			h.Forget()
		}
		if i == 0 { // nobody asks for their buckets
			plain := *s
			plain.Users = nil
			s = &plain
		}
		h.Add(now, s)
		h.total, h.at = total, now
	}
}

// open keeps the past of the rings that are open as it is now, and forgets that of the others.
func (r *rings) open(names []string, mask *window.Mask, now time.Time) {
	for name := range r.frozen {
		if !slices.Contains(names, name) {
			delete(r.frozen, name)
		}
	}
	for i, ring := range r.of {
		if !slices.Contains(names, ring.Name) || r.frozen[ring.Name] != nil {
			continue
		}
		h := &r.past[i+1]
		if h.at.IsZero() || now.Sub(h.at) > staleAfter {
			continue
		}
		table := h.Table()
		table.Without(mask)
		if table.Judged() == 0 {
			continue
		}
		past := &gate.Past{Ring: ring.Name, Table: table, Others: r.others(names)}
		for k := range past.Effect {
			past.Effect[k] = window.CrowdOf(window.Kind(k), table.Users, nil, mask).DesignEffect
		}
		table.Users = nil
		r.frozen[ring.Name] = past
	}
}

// others is what everybody did who stays on stable.
func (r *rings) others(open []string) *window.Snapshot {
	sum := r.past[0].Table()
	for i, ring := range r.of {
		if !slices.Contains(open, ring.Name) {
			sum.Add(r.past[i+1].Table())
		}
	}
	sum.Users = nil
	return sum
}

// pastOf is what the members of the stage's ring are compared with; nil: nothing is known.
func (r *rings) pastOf(p *gate.Policy, stage int) *gate.Past {
	if stage < 1 || stage > len(p.Stages) {
		return nil
	}
	return r.frozen[p.Stages[stage-1].Audience]
}

// follow takes up a plan's rings. The data plane's meters begin anew when any of them changed; a ring that is the same people
// keeps what is known of them, and of others nothing is known.
func (r *rings) follow(of []config.Ring) {
	if slices.Equal(r.of, of) {
		return
	}
	next := newRings(of)
	for i, ring := range of {
		j := slices.Index(r.of, ring)
		if j < 0 {
			continue
		}
		next.past[i+1] = r.past[j+1]
		next.past[i+1].Rebase()
		next.past[i+1].total = 0
		if past := r.frozen[ring.Name]; past != nil {
			next.frozen[ring.Name] = past
		}
	}
	next.base = r.base
	*r = next
}

// record is what a restart must not lose.
func (r *rings) record(now time.Time) []journal.Ring {
	if len(r.of) == 0 {
		return nil
	}
	out := make([]journal.Ring, len(r.past))
	for i := range r.past {
		out[i].Halves, out[i].Age = r.past[i].Halves(now)
		if i > 0 {
			ring := r.of[i-1]
			out[i].Name, out[i].Digest, out[i].Past = ring.Name, ring.Digest, r.frozen[ring.Name]
		}
	}
	return out
}

// ringsOf goes on with what a record knows of the plan's rings.
func ringsOf(of []config.Ring, saved []journal.Ring, now time.Time) rings {
	r := newRings(of)
	same := len(saved) == len(r.past)
	for i, ring := range of {
		j := slices.IndexFunc(saved, func(s journal.Ring) bool { return s.Name == ring.Name && s.Digest == ring.Digest })
		if same = same && j == i+1; j < 0 {
			continue
		}
		r.past[i+1].resume(&saved[j], now)
		if past := saved[j].Past; past != nil {
			r.frozen[ring.Name] = past
		}
	}
	if same {
		r.past[0].resume(&saved[0], now)
	}
	return r
}

func (h *history) resume(saved *journal.Ring, now time.Time) {
	if saved.Halves[0] != nil || saved.Halves[1] != nil {
		h.History, h.at = window.HistoryOf(saved.Halves, saved.Age, now), now
	}
}

// members adds to e what the members of rings did on the canary where they are no evidence.
func (r *rollout) members(e *exposure, share int) {
	for _, s := range []*window.Snapshot{r.rings.base, r.reading.Members} {
		if s != nil {
			e.add(s, share)
		}
	}
}

// memberRecord is that as a restart needs it; nil: none.
func (r *rollout) memberRecord() *window.Snapshot {
	if r.reading.Members == nil && r.rings.base == nil {
		return nil
	}
	sum := new(window.Snapshot)
	for _, s := range []*window.Snapshot{r.rings.base, r.reading.Members} {
		if s != nil {
			sum.Add(s)
		}
	}
	return sum
}
