package upstream

import (
	"time"
)

// Server is one address that takes requests. Its fields are guarded by the pool's mu.
type Server struct {
	spec  ServerSpec
	addrs []string // tried in order when dialling: usually one
	from  *name    // the name it was looked up from; nil: configured as an address
	seed  uint64   // for hash

	idle     []*Conn // a stack: the last used is the first lent
	conns    int
	inFlight int
	removed  bool // its name no longer has this address

	checked      bool // an active check has answered
	down         bool // by active checks
	good, bad    int  // checks in a row
	checking     bool
	nextCheck    time.Duration
	lastCheck    Check
	failures     int // requests in a row
	ejected      bool
	ejectedUntil time.Duration
	rampFrom     time.Duration // slow start since then; 0: full share

	requests, retries, ejections uint64
	errors                       [reasons]uint64
	rate                         float64 // requests per second, smoothed over about 10 s
	rateAt                       time.Duration
	rateRequests                 uint64
}

// Name is the server as configured.
func (s *Server) Name() string { return s.spec.Name }

func newServer(spec ServerSpec, from *name, addrs []string) *Server {
	if spec.Name == "" {
		spec.Name = spec.Address
	}
	return &Server{spec: spec, addrs: addrs, from: from, seed: stableHash(spec.Network + "|" + addrs[0])}
}

// share is the part of its turns a server takes: below 1 while it warms up.
func (s *Server) share(now time.Duration) float64 {
	if s.rampFrom == 0 || now-s.rampFrom >= slowStart {
		return 1
	}
	return max(.1, float64(now-s.rampFrom)/float64(slowStart))
}

func (s *Server) takeRate(now time.Duration) {
	elapsed := now - s.rateAt
	if elapsed < time.Second {
		return
	}
	latest := float64(s.requests-s.rateRequests) / elapsed.Seconds()
	if s.rateAt == 0 {
		s.rate = latest
	} else {
		weight := min(1, elapsed.Seconds()/10)
		s.rate += weight * (latest - s.rate)
	}
	s.rateAt, s.rateRequests = now, s.requests
}

// stableHash is FNV-1a: the same in every process, so that several proxies agree where a key goes.
func stableHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix is the finaliser of splitmix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
