package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"serin/config"
	"serin/proxy/admin"
)

const (
	// observing is how long check asks a running daemon for its traffic.
	observing = time.Second
	// observedLeast is how many requests make an observation: a daemon that began just now tells nothing of the traffic to come.
	observedLeast = 100
)

// checkAnswer is check's JSON.
type checkAnswer struct {
	File       string             `json:"file"`
	Valid      bool               `json:"valid"`
	Problems   []config.Problem   `json:"problems"`
	Warnings   []config.Problem   `json:"warnings"`
	Routes     []config.Sharing   `json:"routes"` // where it depends on the user who gets what
	Timetables []config.Timetable `json:"timetables"`
}

func newCheckCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check -c FILE",
		Short: "validate a configuration and print its plan",
		Long: `Validates a configuration and prints the plan: how long each stage takes, what
each gate needs to see, what cannot be judged and what would help. The traffic
is what --rps and --error-rate say, else what a running daemon observes
($SERIN_ADMIN, else that of the file; with $SERIN_TOKEN where it needs one),
else 1, 10 and 100 requests per second. Exits 78 when the file is invalid or a
stage cannot be judged within max_stage.`,
		Args: noArgs,
	}
	file := cmd.Flags().StringP("config", "c", "", "the configuration file (default $SERIN_CONFIG)")
	rps := cmd.Flags().Float64("rps", 0, "requests per second of the route, both arms")
	errorRate := cmd.Flags().String("error-rate", "", "share of stable's requests that fail: 1%")
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("rps") && !(*rps > 0 && *rps <= 1e9) {
			return usagef("200, for example", "--rps %v is no traffic", *rps)
		}
		failing, err := shareOf("error-rate", *errorRate)
		if err != nil {
			return err
		}
		path, err := e.configPath(*file)
		if err != nil {
			return err
		}
		plan, problems := config.Load(path, config.Options{Getenv: e.getenv})
		a := checkAnswer{File: path, Valid: plan != nil, Problems: append([]config.Problem{}, problems...), Warnings: []config.Problem{}, Routes: []config.Sharing{}, Timetables: []config.Timetable{}}
		if plan != nil {
			a.Warnings = append(append(a.Warnings, plan.Warnings...), staleFlags(plan, time.Now())...)
			a.Warnings = append(a.Warnings, outdatedStables(plan)...)
			a.Routes = append(a.Routes, plan.Sharing()...)
			a.Timetables = append(a.Timetables, e.timetables(cmd.Context(), plan, *rps, failing)...)
		}
		return e.printCheck(a, asJSON)
	}
	return cmd
}

func (e *env) printCheck(a checkAnswer, asJSON bool) error {
	undecidable := false
	for _, t := range a.Timetables {
		undecidable = undecidable || len(t.Problems) > 0
	}
	if asJSON {
		if err := e.printJSON(a); err != nil {
			return err
		}
	} else {
		e.printProblems(a.Problems)
		for _, w := range a.Warnings {
			fmt.Fprintln(e.stderr, "serin: warning: "+clean(w.String()))
		}
		if a.Valid {
			fmt.Fprint(e.stdout, config.SharingText(a.Routes))
			if len(a.Routes) > 0 && len(a.Timetables) > 0 {
				fmt.Fprintln(e.stdout)
			}
			fmt.Fprint(e.stdout, config.TimetableText(a.Timetables))
		}
	}
	switch {
	case !a.Valid && asJSON:
		return &exitError{code: exitConfig}
	case !a.Valid:
		return &exitError{code: exitConfig, err: fmt.Errorf("%s is invalid: %s", a.File, plural(len(a.Problems), "problem"))}
	case undecidable:
		return &exitError{code: exitConfig, err: fmt.Errorf("%s has a stage that cannot be judged within max_stage", a.File), hint: "the plan says what would help"}
	}
	return nil
}

// timetables plans every rollout at the traffic given, else at what a daemon observes, else at assumed rates.
func (e *env) timetables(ctx context.Context, plan *config.Plan, rps, failing float64) []config.Timetable {
	if rps > 0 {
		return plan.Timetable(rps, failing)
	}
	seen, where := e.observed(ctx, plan)
	var out []config.Timetable
	for _, t := range plan.Timetable(0, failing) {
		ro, ok := seen[t.Rollout]
		if !ok {
			out = append(out, t)
			continue
		}
		delete(seen, t.Rollout)
		at := failing
		if at == 0 && ro.Arms.Stable.Requests > 0 {
			at = float64(ro.Arms.Stable.Errors) / float64(ro.Arms.Stable.Requests)
		}
		rate := ro.Arms.Stable.Rate + ro.Arms.Canary.Rate
		fmt.Fprintf(e.stderr, "serin: %s: traffic as observed at %s\n", clean(t.Rollout), clean(where))
		for _, known := range plan.Timetable(rate, at) {
			if known.Rollout == t.Rollout {
				out = append(out, known)
			}
		}
	}
	return withoutAssumed(out)
}

// withoutAssumed drops the assumed rates of rollouts whose traffic is known.
func withoutAssumed(tables []config.Timetable) []config.Timetable {
	known := map[string]bool{}
	for _, t := range tables {
		known[t.Rollout] = known[t.Rollout] || !t.Assumed
	}
	var out []config.Timetable
	for _, t := range tables {
		if !t.Assumed || !known[t.Rollout] {
			out = append(out, t)
		}
	}
	return out
}

// observed asks the daemon ($SERIN_ADMIN, else the plan's own) for rollouts that have traffic, and says where it was asked. No
// daemon is no error; one that refuses to tell is said.
func (e *env) observed(ctx context.Context, plan *config.Plan) (seen map[string]admin.Rollout, where string) {
	seen = map[string]admin.Rollout{}
	c, err := (&target{env: e, configFile: plan.File}).client()
	if err != nil {
		return seen, ""
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, observing)
	defer cancel()
	list, err := c.Rollouts(ctx)
	var refused *admin.StatusError
	if errors.As(err, &refused) {
		fmt.Fprintf(e.stderr, "serin: %s does not tell its traffic: %s\n", clean(c.Address()), clean(err.Error()))
	}
	if err != nil {
		return seen, ""
	}
	for _, ro := range list {
		if ro.Arms.Stable.Rate > 0 && ro.Arms.Stable.Requests+ro.Arms.Canary.Requests >= observedLeast {
			seen[ro.Name] = ro
		}
	}
	return seen, c.Address()
}

// configPath is the file a verb reads: -c, else $SERIN_CONFIG.
func (e *env) configPath(flag string) (string, error) {
	if flag == "" {
		flag = e.getenv("SERIN_CONFIG")
	}
	if flag == "" {
		return "", usagef("-c serin.toml, or $SERIN_CONFIG", "no configuration file is named")
	}
	return flag, nil
}

// printProblems lists what is wrong with a configuration, a line each, on stderr.
func (e *env) printProblems(problems []config.Problem) {
	for _, p := range problems {
		fmt.Fprintln(e.stderr, clean(p.String()))
	}
}
