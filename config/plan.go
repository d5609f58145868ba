package config

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"serin/gate"
	"serin/gate/notify"
	"serin/gate/probe"
	"serin/router"
)

// Plan is a validated configuration, ready to be assembled: references resolved to indices, durations and sizes parsed,
// policies built. Immutable; made by Load, Parse and Zero only.
type Plan struct {
	File      string // "" for the zero-config form
	Hash      string // of the bytes it was made from
	Listen    []Listen
	Memory    int64 // bytes; 0: what GOMEMLIMIT or the control group says
	Admin     Admin
	StateDir  string
	Log       Log
	Upstreams []Upstream // the index is the router's and the proxy's upstream ID
	Rollouts  []Rollout  // the index is the split's ID
	Routes    []*router.Route
	Audiences []Audience
	Files     []string      // read beside the configuration: a change of one is a reload
	Tokens    []Token       // who may use the admin API; none: everybody on the loopback
	Sinks     []notify.Spec // who can be told
	Warnings  []Problem

	Experiments []Experiment // the index, after those of the rollouts, is the split's ID
	Flags       []FeatureFlag

	config *Config // what it was made of, defaults filled in
	lines  index   // where its keys are
}

// Problem is one thing wrong in a file, or, as a warning, worth knowing.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"` // 1-based; 0: unknown
	Key  string `json:"key"`  // rollout.checkout.canary
	Text string `json:"problem"`
	Hint string `json:"hint,omitempty"` // did you mean ...
}

// String writes the problem as `file:line: key: text (hint)`, leaving out what is unknown.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			b.WriteString(":" + strconv.Itoa(p.Line))
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// Listen is one data listener.
type Listen struct {
	Address        string         // "host:port", "unix:/path", "fd:name"
	TLS            *tls.Config    // nil: plain; certificates reload by themselves
	TrustedProxies []netip.Prefix // the zero one: peers of a unix socket
	ProxyProtocol  bool
	FastLane       bool     // default true
	OFREP          string   // path prefix that ends in /ofrep; "" off
	Origins        []string // of web pages that may read its answers; "*": all
	Hosts          []string // exact or "*.example.com"; none: every host
	PlainPaths     bool     // paths that can be read in two ways are refused
	Underscores    string   // pass | drop | reject
	Via            string   // pseudonym; "" off
	Timeout        ListenTimeout
	Limits         ListenLimits
	Upstreams      int // connections that all pools may have, twice over, as old pools drain beside new ones; 0: unknown
}

// ListenTimeout are the client side's phases, each its own.
type ListenTimeout struct{ Head, BodyIdle, KeepAlive, WriteIdle, TunnelIdle time.Duration }

// ListenLimits bound what a client may ask; 0: none, but Connections 0: from the descriptor limit.
type ListenLimits struct {
	Head, Target, Fields int
	Body                 int64
	BodyRate             int64 // bytes a second, on average over Timeout.BodyIdle
	WriteRate            int64 // bytes a second, while the client is waited for
	Requests             int   // of one connection
	Connections, PerIP   int
}

// Admin is the admin listener.
type Admin struct {
	Address, PublicURL string
	TLS                *tls.Config // nil: plain; certificates reload by themselves
	Files              string      // of TLS, as written: other files are a matter of a restart
}

// Log is the daemon's log.
type Log struct {
	Level, Format string // format "": text on a terminal, else json
	Access        *AccessLog
}

// AccessLog is the table log.access; nil: off.
type AccessLog struct {
	Path, Format string
	Sample       float64 // 0..1
	Errors       bool
	Key          bool // write the hash of the user's key
}

// Upstream is a named pool.
type Upstream struct {
	Name, Revision string
	Servers        []Server
	Balance        string // p2c | round_robin | hash
	Health         *Health
	Eject          Eject
	Timeout        UpstreamTimeout
	Retry          Retry
	Limits         UpstreamLimits
	TLS            *tls.Config // for https servers; nil otherwise
	Capacity       float64     // requests per second; 0: not said
}

// Server is one address of a pool.
type Server struct {
	Name    string // as written
	Network string // tcp | unix
	Address string // host:port or path
	TLS     bool
}

// Health is an active check.
type Health struct {
	Path               string
	Every, Timeout     time.Duration
	Healthy, Unhealthy int
}

// Eject is passive outlier ejection; Consecutive 0: off.
type Eject struct {
	Consecutive int
	For         time.Duration
	Max         float64 // fraction of the pool
}

// UpstreamTimeout is how long a pool waits: Connect to a connection, Response from request sent to response head, Idle between body bytes.
type UpstreamTimeout struct{ Connect, Response, Idle time.Duration }

// Retry is the retry allowance; Max 0: off. Budget is a fraction of requests.
type Retry struct {
	Max    int
	Budget float64
}

// UpstreamLimits bound connections and waiting requests of one pool.
type UpstreamLimits struct{ Connections, Queue int }

// Rollout joins the router's split to the gate's policy.
type Rollout struct {
	Name           string
	Stable, Canary int           // upstream IDs
	Split          *router.Split // weight 0; shared by the routes that carry it
	Policy         *gate.Policy
	Expose         bool
	Rings          []Ring // of Split.Rings
	Shield         bool   // a canary's failures get a second chance on stable
	Mirror         Mirror
	Signals        string      // the field of answers that carries business signals; "": none
	Probes         []probe.Ask // of gates that are measured elsewhere
}
