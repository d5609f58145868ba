package main

import (
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"serin/config"
	"serin/gate"
	"serin/gate/criterion"
	"serin/gate/sim"
)

// simulation is what simulate was asked for.
type simulation struct {
	world sim.World
	runs  int
	seed  uint64
}

// simulated is simulate's JSON for one rollout.
type simulated struct {
	Rollout         string          `json:"rollout"`
	Example         simulatedRun    `json:"example"` // the first run
	Runs            int             `json:"runs"`
	Completed       int             `json:"completed"`
	RolledBack      int             `json:"rolled_back"`
	Held            int             `json:"held"` // on its way or held at the horizon
	HeldAt          map[string]int  `json:"held_at"`
	Reasons         map[string]int  `json:"reasons"` // runs that held for a reason at some time
	DurationSeconds simulatedSpread `json:"duration_seconds"`
	RollbackSeconds simulatedSpread `json:"rollback_seconds"`
	CanaryRequests  simulatedSpread `json:"canary_requests"`
	FailedRequests  simulatedSpread `json:"failed_requests"`
	HorizonSeconds  float64         `json:"horizon_seconds"`
	LeftOut         []string        `json:"left_out,omitempty"` // metrics of gates that nothing answers in virtual time
}

type simulatedRun struct {
	Outcome  string            `json:"outcome"` // completed rolled_back held
	Seconds  float64           `json:"seconds"`
	Requests uint64            `json:"canary_requests"`
	Failed   uint64            `json:"failed_requests"`
	Timeline []simulatedMoment `json:"timeline"`
}

type simulatedMoment struct {
	Seconds float64 `json:"seconds"`
	Action  string  `json:"action"`
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Reason  string  `json:"reason"`
}

type simulatedSpread struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Mean   float64 `json:"mean"`
}

func newSimulateCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate -c FILE --rps 200 --canary-error 3%",
		Short: "run the ladder in virtual time and print how it ends",
		Long: `Runs each rollout's ladder in virtual time against made-up traffic, with the same
judge as in production, and prints one run and the distribution of many. What a
person would have to start or approve is done at once; a ring is taken for one user in a
hundred, with a past that nobody knows.`,
		Args: noArgs,
	}
	s := simulation{}
	f := cmd.Flags()
	file := f.StringP("config", "c", "", "the configuration file (default $SERIN_CONFIG)")
	stable := f.String("error-rate", "1%", "share of stable's requests that fail")
	canary := f.String("canary-error", "", "share of the canary's requests that fail (default: stable's)")
	f.Float64Var(&s.world.RPS, "rps", 0, "requests per second of the route, both arms")
	f.DurationVar(&s.world.Onset, "onset", 0, "the canary is like stable until then")
	f.DurationVar(&s.world.Latency.Median, "latency", 50*time.Millisecond, "stable's median latency")
	f.Float64Var(&s.world.Latency.Slower, "canary-slower", 1, "the canary's latency over stable's")
	hangs := f.String("canary-hangs", "", "share of the canary's requests that are never answered: they time out after 30s")
	f.DurationVar(&s.world.Hang.Patience, "patience", 0, "clients without an answer go away after so long (default: they wait for the timeout)")
	f.DurationVar(&s.world.Horizon, "horizon", 6*time.Hour, "stop looking after this long")
	f.IntVar(&s.runs, "runs", 100, "rollouts to play, 1 to 10000")
	f.Uint64Var(&s.seed, "seed", 1, "the same seed plays the same")
	output := outputFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		if err := s.check(*stable, *canary); err != nil {
			return err
		}
		if err := s.hang(*hangs); err != nil {
			return err
		}
		path, err := e.configPath(*file)
		if err != nil {
			return err
		}
		plan, err := e.loadPlan(path)
		if err != nil {
			return err
		}
		signal.Reset(os.Interrupt, syscall.SIGTERM) // nothing to tidy up: an interrupt ends the arithmetic at once
		return e.simulate(plan, s, asJSON)
	}
	return cmd
}

// check refuses worlds that make no sense and reads the shares.
func (s *simulation) check(stable, canary string) error {
	var err error
	w := &s.world
	if w.StableError, err = shareOf("error-rate", stable); err != nil {
		return err
	}
	w.CanaryError = w.StableError
	if canary != "" {
		if w.CanaryError, err = shareOf("canary-error", canary); err != nil {
			return err
		}
	}
	w.Latency.Sigma = 0.8 // p95 is 3.7 times the median, a web service's usual tail
	switch {
	case !(w.RPS > 0 && w.RPS <= 1e6):
		return usagef("--rps 200, for example", "simulate needs the traffic: --rps above 0, at most a million")
	case w.Latency.Median <= 0 || w.Latency.Median > time.Minute:
		return usagef("50ms, for example", "--latency %s is out of range", w.Latency.Median)
	case !(w.Latency.Slower > 0 && w.Latency.Slower <= 1000):
		return usagef("1.5, for example", "--canary-slower %v is out of range", w.Latency.Slower)
	case w.Onset < 0:
		return usagef("20m, for example", "--onset %s is negative", w.Onset)
	case w.Horizon < time.Minute || w.Horizon > 30*24*time.Hour:
		return usagef("1m to 720h", "--horizon %s is out of range", w.Horizon)
	case s.runs < 1 || s.runs > 10000:
		return usagef("1 to 10000", "--runs %d is out of range", s.runs)
	}
	return nil
}

// hang reads how much of the canary does not answer.
func (s *simulation) hang(share string) error {
	h := &s.world.Hang
	h.After = 30 * time.Second // upstream.timeout.response as it is when left out
	if h.Patience < 0 {
		return usagef("10s, for example", "--patience %s is negative", h.Patience)
	}
	if share == "" {
		return nil
	}
	var err error
	h.Share, err = shareOf("canary-hangs", share)
	return err
}

func (e *env) simulate(plan *config.Plan, s simulation, asJSON bool) error {
	list := []simulated{}
	for i := range plan.Rollouts {
		r := &plan.Rollouts[i]
		x := s.play(r)
		if asJSON {
			list = append(list, x)
			continue
		}
		if i > 0 {
			e.print("")
		}
		e.print(x.text(s)...)
	}
	if asJSON {
		return e.printJSON(map[string][]simulated{"rollouts": list})
	}
	if len(plan.Rollouts) == 0 {
		fmt.Fprintln(e.stderr, "serin: there is no rollout to simulate")
	}
	return nil
}

func (s *simulation) play(r *config.Rollout) simulated {
	p, left := simulable(r.Policy)
	one := sim.Run(p, s.world, s.seed)
	many := sim.Distribution(p, s.world, s.runs, s.seed)
	x := simulated{
		Rollout: r.Name, Example: simulatedRun{Outcome: "held", Seconds: one.Duration.Seconds(), Requests: one.CanaryRequests, Failed: one.FailedRequests, Timeline: []simulatedMoment{}},
		Runs: many.Runs, Completed: many.Promoted, RolledBack: many.RolledBack, Held: many.Held,
		HeldAt: map[string]int{}, Reasons: map[string]int{}, HorizonSeconds: s.world.Horizon.Seconds(),
		DurationSeconds: secondsSpread(many.Duration), RollbackSeconds: secondsSpread(many.RollbackAfter),
		CanaryRequests: countSpread(many.CanaryRequests), FailedRequests: countSpread(many.FailedRequests), LeftOut: left,
	}
	switch {
	case one.Promoted:
		x.Example.Outcome = "completed"
	case one.RolledBack:
		x.Example.Outcome = "rolled_back"
	}
	for _, m := range one.Timeline {
		x.Example.Timeline = append(x.Example.Timeline, simulatedMoment{
			Seconds: m.At.Seconds(), Action: m.Decision.Action.String(), From: m.Decision.From.Fraction(), To: m.Decision.To.Fraction(), Reason: string(m.Decision.Reason),
		})
	}
	for w, n := range many.HeldAt {
		x.HeldAt[w.String()] += n
	}
	for reason, n := range many.Reasons {
		x.Reasons[string(reason)] = n
	}
	return x
}

// simulable is a policy without the gates that ask what no simulated world has: business signals, other systems.
func simulable(p *gate.Policy) (*gate.Policy, []string) {
	out, left := *p, []string(nil)
	out.Criteria = nil
	for _, c := range p.Criteria {
		metric := c.Metric()
		if _, business := criterion.SignalOf(metric); business || metric == "prometheus" || metric == "webhook" {
			left = append(left, metric)
			continue
		}
		out.Criteria = append(out.Criteria, c)
	}
	return &out, left
}

func secondsSpread(s sim.Spread[time.Duration]) simulatedSpread {
	return simulatedSpread{s.Median.Seconds(), s.P90.Seconds(), s.Mean / float64(time.Second)}
}

func countSpread(s sim.Spread[uint64]) simulatedSpread {
	return simulatedSpread{float64(s.Median), float64(s.P90), s.Mean}
}

// text is a simulation for a person.
func (x simulated) text(s simulation) []string {
	w := s.world
	world := fmt.Sprintf("%s at %s requests/s: stable fails %s, the canary %s", x.Rollout, trimmed(w.RPS), percent(w.StableError), percent(w.CanaryError))
	if w.Latency.Slower != 1 {
		world += fmt.Sprintf(" and is %s times as slow", trimmed(w.Latency.Slower))
	}
	if w.Hang.Share > 0 {
		world += fmt.Sprintf(" and does not answer %s", percent(w.Hang.Share))
		if p := w.Hang.Patience; p > 0 && p < w.Hang.After {
			world += fmt.Sprintf(", whose clients leave after %s", span(p.Seconds()))
		}
	}
	if w.Onset > 0 {
		world += fmt.Sprintf(", from %s on", span(w.Onset.Seconds()))
	}
	lines := wrapped(world, "")
	if len(x.LeftOut) > 0 {
		lines = append(lines, wrapped("left out, for nothing answers them in virtual time: "+strings.Join(x.LeftOut, ", "), "  ")...)
	}
	lines = append(lines, "", fmt.Sprintf("one run (seed %d): %s after %s, %s canary requests, %s failed",
		s.seed, words(x.Example.Outcome), span(x.Example.Seconds), count(x.Example.Requests), count(x.Example.Failed)))
	for _, m := range x.Example.Timeline {
		line := fmt.Sprintf("  %12s  %-10s %s", span(m.Seconds), words(m.Action), percent(m.To))
		if m.From != m.To {
			line = fmt.Sprintf("  %12s  %-10s %s -> %s", span(m.Seconds), words(m.Action), percent(m.From), percent(m.To))
		}
		if m.Reason != "" {
			line += "  " + words(m.Reason)
		}
		lines = append(lines, cut(line))
	}
	lines = append(lines, "", fmt.Sprintf("%s: %d completed, %d rolled back, %d held or on their way after %s",
		plural(x.Runs, "run"), x.Completed, x.RolledBack, x.Held, span(x.HorizonSeconds)))
	if x.Completed+x.RolledBack > 0 {
		lines = append(lines, fmt.Sprintf("  ended after        %s (median), %s (9 in 10)", span(x.DurationSeconds.Median), span(x.DurationSeconds.P90)))
	}
	if x.RolledBack > 0 {
		lines = append(lines, fmt.Sprintf("  rolled back after  %s (median), %s (9 in 10)", span(x.RollbackSeconds.Median), span(x.RollbackSeconds.P90)))
	}
	lines = append(lines, fmt.Sprintf("  canary requests    %s (median), of which %s failed", count(uint64(x.CanaryRequests.Median)), count(uint64(x.FailedRequests.Median))))
	if len(x.HeldAt) > 0 {
		lines = append(lines, hanging("  stood at           ", tallied(x.HeldAt))...)
	}
	if len(x.Reasons) > 0 {
		lines = append(lines, hanging("  held at times for  ", tallied(x.Reasons))...)
	}
	return lines
}

// tallied lists counts, most first.
func tallied(counts map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s (%d)", words(k), counts[k])
	}
	return strings.Join(keys, ", ")
}

// trimmed prints a number without needless zeros.
func trimmed(v float64) string { return fmt.Sprintf("%.6g", v) }
