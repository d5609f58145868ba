package window

import (
	"sync/atomic"
	"time"
)

// NoBucket is the bucket of traffic without a key: it counts in the totals and in no bucket.
const NoBucket uint16 = 65535

// Options of a Meter. The zero value keeps totals only.
type Options struct {
	Mask  *Mask  // buckets counted apart (Snapshot.Masked); nil: none
	Users bool   // keep All and BadKind per bucket: 80 KB
	Kinds []Kind // further kinds per bucket, 40 KB each; any of them implies Users
}

// shardCount is how many cells a counter is spread over; the hint picks one.
const shardCount = 8

// Meter counts one arm's requests in one stage. Counters only go up and are never reset. Record and Read may be called by
// any goroutine at any time; both are wait-free, and Record allocates nothing but a shard's memory at its first use, so that
// a rollout without traffic costs almost none. It must not be copied.
type Meter struct {
	mask   *Mask
	kept   [Kinds]bool
	users  [Kinds]atomic.Pointer[perBucket] // nil: nothing counted yet, or not kept
	shards [shardCount]atomic.Pointer[shard]
}

// perBucket are one kind's counters by bucket.
type perBucket [Buckets]atomic.Uint32

// shard is one cell of every counter, padded so that neighbours share no cache line.
type shard struct {
	outcomes [Outcomes]atomic.Uint64
	masked   [Outcomes]atomic.Uint64
	nanos    atomic.Uint64
	latency  [Bins]atomic.Uint32
	aborts   [Bins]atomic.Uint32
	_        [128]byte
}

// NewMeter makes a meter at zero. It keeps o.Mask, which must not change any more.
func NewMeter(o Options) *Meter {
	m := &Meter{mask: o.Mask}
	if o.Users || len(o.Kinds) > 0 {
		m.kept[All], m.kept[BadKind] = true, true
	}
	for _, k := range o.Kinds {
		m.kept[k] = true
	}
	return m
}

// grow gives p something to point to. Whoever loses the race for it takes the winner's.
func grow[T any](p *atomic.Pointer[T]) *T {
	p.CompareAndSwap(nil, new(T))
	return p.Load()
}

// Record counts one request. hint spreads writers over shards: anything that stays with a connection or a worker, its
// low bits matter. latency is from the request's head parsed to the response's head received; for Timeout the timeout,
// for Abort how long the client waited; elsewhere it is not used.
func (m *Meter) Record(hint uint64, bucket uint16, o Outcome, latency time.Duration) {
	if o >= Outcomes {
		o = Neutral
	}
	if bucket < Buckets && m.kept[All] {
		m.recordUser(bucket, o)
	}
	s := m.shards[hint%shardCount].Load()
	if s == nil {
		s = grow(&m.shards[hint%shardCount])
	}
	if m.mask.Has(bucket) {
		s.masked[o].Add(1)
		return
	}
	switch {
	case o.Timed():
		s.latency[BinOf(latency)].Add(1)
		s.nanos.Add(uint64(max(latency, 0)))
	case o == Abort:
		s.aborts[BinOf(latency)].Add(1)
	}
	s.outcomes[o].Add(1) // last: a Total that has not moved since a reading has nothing behind it
}

// recordUser counts a bucket's request, before it counts it as bad: readers look the other way round, so no bucket ever
// shows more errors than requests. Masked buckets are counted too; Crowd leaves them out.
func (m *Meter) recordUser(bucket uint16, o Outcome) {
	if o.Judged() {
		m.recordKind(All, bucket)
	}
	if o.Bad() {
		m.recordKind(BadKind, bucket)
	}
	if k, ok := extraKind(o); ok && m.kept[k] {
		m.recordKind(k, bucket)
	}
}

func (m *Meter) recordKind(k Kind, bucket uint16) {
	u := m.users[k].Load()
	if u == nil {
		u = grow(&m.users[k])
	}
	u[bucket].Add(1)
}

func extraKind(o Outcome) (Kind, bool) {
	switch o {
	case ClientError:
		return ClientKind, true
	case Timeout:
		return TimeoutKind, true
	case Abort:
		return AbortKind, true
	}
	return 0, false
}

// Read overwrites s with the meter's counts since birth. With users it fills s.Users, reusing what is there; else s.Users
// becomes nil. Requests recorded meanwhile are in this reading or the next, never lost; the counters of one reading may
// be a few requests apart.
func (m *Meter) Read(s *Snapshot, users bool) {
	keep := s.Users
	*s = Snapshot{}
	if users {
		s.Users = m.readUsers(keep)
	}
	var nanos uint64
	for i := range m.shards {
		sh := m.shards[i].Load()
		if sh == nil {
			continue
		}
		for o := range sh.outcomes {
			s.Outcomes[o] += sh.outcomes[o].Load()
			s.Masked[o] += sh.masked[o].Load()
		}
		for b := range sh.latency {
			s.Latency[b] += sh.latency[b].Load()
			s.Aborts[b] += sh.aborts[b].Load()
		}
		nanos += sh.nanos.Load()
	}
	s.Seconds = float64(nanos) / 1e9
}

// Total is Snapshot.Total of a reading now, at a fraction of the cost: whoever finds it unchanged has missed nothing.
func (m *Meter) Total() uint64 {
	var n uint64
	for i := range m.shards {
		if sh := m.shards[i].Load(); sh != nil {
			for o := range sh.outcomes {
				n += sh.outcomes[o].Load() + sh.masked[o].Load()
			}
		}
	}
	return n
}

func (m *Meter) readUsers(u *Users) *Users {
	if u == nil {
		u = new(Users)
	}
	for k := Kinds; k > All; {
		k-- // All last
		counted := m.users[k].Load()
		switch {
		case !m.kept[k]:
			u[k] = nil
			continue
		case counted == nil:
			u[k] = []uint32{} // kept, and nothing counted yet
			continue
		case len(u[k]) != Buckets:
			u[k] = make([]uint32, Buckets)
		}
		for b := range counted {
			u[k][b] = counted[b].Load()
		}
	}
	return u
}
