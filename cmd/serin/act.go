package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

// newActCmds are the verbs that change something; each prints the decision it caused.
func newActCmds(e *env) []*cobra.Command {
	acts := []struct{ verb, short string }{
		{"start", "begin a rollout that waits for a person"},
		{"pause", "stop the stage clock; a rollback may still fire"},
		{"resume", "go on after a pause or a hold"},
		{"promote", "widen to the next stage now, evidence or not; not while paused"},
		{"step-back", "go one stage down and collect anew"},
		{"rollback", "send everybody back to stable"},
		{"approve", "allow the stage that waits for approval"},
		{"retry", "a new attempt of a rolled-back revision"},
	}
	cmds := make([]*cobra.Command, len(acts))
	for i, a := range acts {
		cmds[i] = newActCmd(e, a.verb, a.short)
	}
	return cmds
}

func newActCmd(e *env, verb, short string) *cobra.Command {
	use := verb + " NAME"
	doc := map[string]string{"pause": "every rollout, those to come included, until\nserin resume --all", "resume": "what serin pause --all has paused",
		"rollback": "every rollout"}[verb]
	if doc != "" {
		use += " | --all"
	}
	cmd := &cobra.Command{Use: use, Short: short, Args: oneName}
	var act admin.Act
	var ifVersion uint64
	var all bool
	var arm string
	cmd.Flags().StringVar(&act.Reason, "reason", "", "why, for the journal")
	cmd.Flags().Uint64Var(&ifVersion, "if-version", 0, "refuse unless the rollout's version is this one")
	if doc != "" {
		cmd.Flags().BoolVar(&all, "all", false, doc)
	}
	switch verb {
	case "promote":
		cmd.Flags().BoolVar(&act.Full, "full", false, "to the end, not to the next stage")
	case "rollback":
		cmd.Flags().StringVar(&arm, "arm", "", "of an experiment: only this arm's users, back to the control")
	case "retry":
		cmd.Flags().IntVar(&act.FromStage, "from-stage", 0, "stage to begin at, counted from 1")
	}
	check := func(args []string) error {
		switch {
		case all && len(args) == 1:
			return usagef("serin "+use, "%s takes either a name or --all", verb)
		case !all && len(args) == 0:
			return usagef("serin "+use, "%s needs the name of a rollout", verb)
		case cmd.Flags().Changed("from-stage") && act.FromStage < 1:
			return usagef("1, for example", "--from-stage %d: stages are counted from 1", act.FromStage)
		case all && cmd.Flags().Changed("if-version"):
			return usagef("serin "+verb+" --all", "--if-version belongs to one rollout")
		case cmd.Flags().Changed("arm") && (arm == "" || all || cmd.Flags().Changed("if-version")):
			return usagef("serin rollback button --arm green", "--arm names one arm of one experiment, whatever its version")
		}
		return nil
	}
	e.asks(cmd, check, func(ctx context.Context, q *question, args []string) error {
		act.Actor = e.actor()
		if all {
			return q.actOnAll(ctx, verb, act)
		}
		if cmd.Flags().Changed("if-version") {
			act.IfVersion = &ifVersion
		}
		d, err := q.act(ctx, args[0], verb, arm, act)
		if err != nil {
			return err
		}
		return q.decided(d)
	})
	return cmd
}

// act does one verb to one rollout, or stops one arm of an experiment.
func (q *question) act(ctx context.Context, name, verb, arm string, act admin.Act) (admin.DecisionView, error) {
	if arm != "" {
		return q.StopArm(ctx, name, admin.StopArm{Arm: arm, Reason: act.Reason, Actor: act.Actor})
	}
	return q.Act(ctx, name, verb, act)
}

// actOnAll pauses, resumes or rolls back everything.
func (q *question) actOnAll(ctx context.Context, verb string, act admin.Act) error {
	done, err := q.All(ctx, verb, act)
	if err != nil {
		return err
	}
	return q.answer(done, func() {
		e := q.env
		for _, d := range done.Decisions {
			e.print(clean(rolloutOf(d) + ": " + d.Sentence))
		}
		switch {
		case verb == "pause":
			e.print("Everything is paused, and what comes new too, until: serin resume --all")
		case verb == "resume":
			e.print("What that had paused goes on, and what comes new begins.")
		case len(done.Decisions) == 0:
			e.print("There was nothing to roll back.")
		}
	})
}

// rolloutOf is the rollout in a decision's id, NAME-ATTEMPT-NUMBER.
func rolloutOf(d admin.DecisionView) string {
	name := d.ID
	for range 2 {
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
	}
	return name
}

// decided prints the decision that an act has caused.
func (q *question) decided(d admin.DecisionView) error {
	return q.answer(d, func() { q.env.print(clean(d.Sentence)) })
}
