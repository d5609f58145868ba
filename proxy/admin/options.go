package admin

import (
	"context"
	"log/slog"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// Controller is the control loop as the API sees it. Its methods are safe for concurrent use.
type Controller interface {
	// Rollouts is the state now, in the order of the file. The caller may keep it but not change it.
	Rollouts() []Rollout
	// Operate hands a person's act to the loop and waits for the decision. An unknown rollout is ErrUnknownRollout; an act
	// that does not apply is a *RefusedError.
	Operate(ctx context.Context, rollout string, op gate.Operator) (DecisionView, error)
}

// Journal reads decisions back.
type Journal interface {
	// Decisions returns at most limit decisions of a rollout made after since (zero: all), newest first.
	Decisions(rollout string, since time.Time, limit int) ([]DecisionView, error)
}

// Traffic reads the data plane's counters: cumulative since the daemon's start, retired meters included.
type Traffic interface {
	Totals() Totals
	Upstreams() []Upstream
}

// Totals is one reading of everything the data plane counts.
type Totals struct {
	Splits   []SplitTotals
	InFlight int64
	Overhead []OverheadBin // our own time, sampled; cumulative counts not summed over bins
	// OverheadSeconds is the sum of the sampled times.
	OverheadSeconds float64
}

// OverheadBin counts samples up to and including Upper and above the bin before.
type OverheadBin struct {
	Upper time.Duration // 0: above the last edge
	Count uint64
}

// SplitTotals is one rollout's traffic by arm: evidence of all stages, forced and keyless requests included.
type SplitTotals struct {
	Rollout string
	Arms    [2]window.Snapshot // index router.Arm
}

// Router answers who goes where.
type Router interface {
	Explain(key string) Explain
}

// Configuration is the file in force.
type Configuration interface {
	// Effective is the configuration in force as TOML, defaults filled in, secrets never.
	Effective() string
	// Reload reads the file again. It returns when the new configuration is in force or refused; a refusal is a *InvalidError.
	Reload(ctx context.Context) (Reload, error)
	// Reloads tells how reloading went so far.
	Reloads() Reloads
}

// Reloads counts reloads since the daemon's start.
type Reloads struct {
	Good, Bad       uint64
	LastGood        bool
	LastGoodSuccess time.Time // of the last successful load, the first included
}

// Options are the rooms the API looks into. A nil one answers with empty lists or 501.
type Options struct {
	Address       string // as configured: "host:port" or "unix:/path"
	PublicURL     string // its host joins the allow list
	Controller    Controller
	Journal       Journal
	Traffic       Traffic
	Router        Router
	Configuration Configuration
	Ready         func() (bool, string) // nil: always ready
	Version       string                // of the binary, for serin_build_info
	Revision      string
	Log           *slog.Logger // nil: discard
}
