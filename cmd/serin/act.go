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
	t := e.targetFlags(cmd)
	var act admin.Act
	var ifVersion uint64
	var all bool
	cmd.Flags().StringVar(&act.Reason, "reason", "", "why, for the journal")
	cmd.Flags().Uint64Var(&ifVersion, "if-version", 0, "refuse unless the rollout's version is this one")
	output := outputFlag(cmd)
	if doc != "" {
		cmd.Flags().BoolVar(&all, "all", false, doc)
	}
	switch verb {
	case "promote":
		cmd.Flags().BoolVar(&act.Full, "full", false, "to the end, not to the next stage")
	case "retry":
		cmd.Flags().IntVar(&act.FromStage, "from-stage", 0, "stage to begin at, counted from 1")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		if all && len(args) == 1 {
			return usagef("serin "+use, "%s takes either a name or --all", verb)
		}
		if !all && len(args) == 0 {
			return usagef("serin "+use, "%s needs the name of a rollout", verb)
		}
		c, err := t.client()
		if err != nil {
			return err
		}
		defer c.Close()
		act.Actor = e.actor()
		if cmd.Flags().Changed("if-version") {
			act.IfVersion = &ifVersion
		}
		if all {
			return e.actOnAll(cmd.Context(), c, verb, act, asJSON)
		}
		d, err := c.Act(cmd.Context(), args[0], verb, act)
		if err != nil {
			return err
		}
		return e.printDecision(d, asJSON)
	}
	return cmd
}

// actOnAll pauses, resumes or rolls back everything.
func (e *env) actOnAll(ctx context.Context, c *admin.Client, verb string, act admin.Act, asJSON bool) error {
	if act.IfVersion != nil {
		return usagef("serin "+verb+" --all", "--if-version belongs to one rollout")
	}
	done, err := c.All(ctx, verb, act)
	if err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(done)
	}
	for _, d := range done.Decisions {
		e.print(clean(rolloutOf(d) + ": " + d.Sentence))
	}
	switch {
	case verb == "pause":
		e.print("Everything is paused, and what comes new too, until: serin resume --all")
	case verb == "resume":
		e.print("Not everything is paused any more.")
	case len(done.Decisions) == 0:
		e.print("There was nothing to roll back.")
	}
	return nil
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

func (e *env) printDecision(d admin.DecisionView, asJSON bool) error {
	if asJSON {
		return e.printJSON(d)
	}
	e.print(clean(d.Sentence))
	return nil
}
