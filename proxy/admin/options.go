package admin

import (
	"context"
	"log/slog"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/gate/window"
)

// Loop is the control loop: *control.Loop. Its methods are safe for concurrent use.
type Loop interface {
	Status() *control.Status
	Operate(ctx context.Context, rollout string, op gate.Operator) (gate.Decision, journal.Entry, error)
	Decisions(rollout string, since time.Time, limit int) ([]journal.Entry, error)
}

// Traffic reads the data plane's counters: cumulative since the daemon's start, retired meters included.
type Traffic interface {
	Totals() Totals
	Upstreams() []Upstream
}

// Totals is one reading of everything the data plane counts.
type Totals struct {
	Splits          []SplitTotals
	Experiments     []ArmTotals
	Upstreams       []Upstream // one a name: its pools together, those that were replaced included
	InFlight        int64
	Edge            EdgeTotals
	Telemetry       TelemetryTotals
	Limits          []time.Duration // absolute latency limits of gates: each is an edge of the duration histograms
	Overhead        []OverheadBin   // our own time, sampled; one count a bin, not summed over bins
	OverheadSeconds float64         // sum of the sampled times
}

// OverheadBin counts samples above the bin before, up to and including Upper.
type OverheadBin struct {
	Upper time.Duration // 0: the last bin, which has no edge
	Count uint64
}

// SplitTotals is one rollout's traffic by arm: evidence of all stages, forced and keyless requests included.
type SplitTotals struct {
	Rollout string
	Arms    [2]window.Snapshot // index router.Arm
}

// Router answers who goes where.
type Router interface {
	Explain(ask Ask) Explain
}

// Configuration is the file in force.
type Configuration interface {
	// Effective is the configuration in force as TOML, defaults filled in, secrets never.
	Effective() string
	// Reload reads the file again. It returns when the new configuration is in force or refused; a refusal is an *InvalidError.
	Reload(ctx context.Context) (Reload, error)
	// Reloads tells how reloading went so far.
	Reloads() Reloads
}

// Reloads counts reloads since the daemon's start.
type Reloads struct {
	Good, Bad       uint64
	LastGood        bool      // whether the last one was put in force; true before the first
	LastGoodSuccess time.Time // when a configuration was last put in force, the first included
	Problems        []Problem // why the last one was refused; none when it was put in force
}

// Options are the rooms the API looks into. A nil one answers as if it were empty.
type Options struct {
	Address       string // as configured: "host:port" or "unix:/path"
	PublicURL     string // its host joins the allow list
	Loop          Loop
	Freezer       Freezer
	Drills        Drills
	Besides       Besides
	Signals       Signals
	Traffic       Traffic
	Router        Router
	Flags         Flags
	Trials        Trials
	Configuration Configuration
	Notices       Notices
	Links         *Links                // nil: no links are made, and none is good
	Tokens        func() []config.Token // who may come in; nil or none: everybody who reaches the listener
	Ready         func() (bool, string) // whether traffic is welcome, else why not; nil: always
	Version       string                // of the binary, for serin_build_info
	Revision      string                // of its source
	Connections   int                   // open at a time; 0: 512
	Log           *slog.Logger          // nil: silent
}
