// Package control is the loop: one goroutine owns every change of routing.
package control

import (
	"serin/config"
	"serin/gate/window"
	"serin/router"
)

// Dataplane is all the loop may do to traffic. Implemented in cmd/serin over proxy.Proxy.
type Dataplane interface {
	// Install makes plan the one in force: pools are kept where a reload left them alone. Settings holds every rollout's
	// weight, so that a reload moves none. Nothing changes when it returns an error.
	Install(plan *config.Plan, settings map[string]Setting) error
	// Set changes one rollout's routing at once: when it returns, no new request uses the old setting.
	Set(rollout string, s Setting)
	// Read fills r with what the rollout's current meters say, cumulative since Setting.Step began.
	Read(rollout string, r *Reading)
}

// Setting is what routing needs to know of a rollout. A changed Step begins new meters; the same Step keeps them.
type Setting struct {
	Weight    router.Weight
	Step      uint64
	Audiences []string // rings whose members are on the canary
	Mirror    router.Weight
	Mask      *window.Mask // buckets left out of evidence; nil: none
	Revision  string
}

// Reading is one look at a rollout's traffic.
type Reading struct {
	Stable, Canary                 window.Snapshot // evidence; Users filled when WantUsers
	WantUsers                      bool
	Forced                         uint64 // requests by the force header: never evidence
	Keyless                        uint64 // requests without any key: stable, no evidence
	StableHealthy                  bool
	CanaryHealthy                  bool
	StableInFlight, CanaryInFlight int
}
