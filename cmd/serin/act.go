package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

// newActCmds are the verbs that change something; each prints the decision it caused.
func newActCmds(e *env) []*cobra.Command {
	acts := []struct{ verb, short string }{
		{"start", "begin a rollout that waits for a person"},
		{"pause", "stop the stage clock; a rollback may still fire"},
		{"resume", "go on after a pause or a hold"},
		{"promote", "widen to the next stage now, evidence or not"},
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
	if verb == "rollback" {
		use = "rollback NAME | --all"
	}
	cmd := &cobra.Command{Use: use, Short: short, Args: oneName}
	t := e.targetFlags(cmd)
	var act admin.Act
	var ifVersion uint64
	var all bool
	cmd.Flags().StringVar(&act.Reason, "reason", "", "why, for the journal")
	cmd.Flags().Uint64Var(&ifVersion, "if-version", 0, "refuse unless the rollout's version is this one")
	output := outputFlag(cmd)
	switch verb {
	case "promote":
		cmd.Flags().BoolVar(&act.Full, "full", false, "to the end, not to the next stage")
	case "rollback":
		cmd.Flags().BoolVar(&all, "all", false, "every rollout")
	case "retry":
		cmd.Flags().IntVar(&act.FromStage, "from-stage", 0, "stage to begin at, counted from 1")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		if all && len(args) == 1 {
			return usagef("serin "+use, "rollback takes either a name or --all")
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
			return e.rollbackAll(cmd.Context(), c, act, asJSON)
		}
		d, err := c.Act(cmd.Context(), args[0], verb, act)
		if err != nil {
			return err
		}
		return e.printDecision(d, asJSON)
	}
	return cmd
}

// rollbackAll rolls every rollout back; one that refuses does not stop the others.
func (e *env) rollbackAll(ctx context.Context, c *admin.Client, act admin.Act, asJSON bool) error {
	list, err := c.Rollouts(ctx)
	if err != nil {
		return err
	}
	for _, ro := range list {
		d, failed := c.Act(ctx, ro.Name, "rollback", act)
		var status *admin.StatusError
		switch {
		case failed == nil:
			err = errors.Join(err, e.printDecision(d, asJSON))
		case errors.As(failed, &status) && status.Status == http.StatusConflict:
			e.report(failed) // nothing to roll back here
		default:
			err = errors.Join(err, failed)
		}
	}
	return err
}

func (e *env) printDecision(d admin.DecisionView, asJSON bool) error {
	if asJSON {
		return e.printJSON(d)
	}
	e.print(clean(d.Sentence))
	return nil
}
