package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

func newExplainCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain --key KEY",
		Short: "where a user goes, and at which weight that changes",
		Args:  noArgs,
	}
	key := cmd.Flags().String("key", "", "the user's key, as a request carries it")
	var ask admin.Ask
	cmd.Flags().StringArrayVar(&ask.Headers, "header", nil, `a header of the request, for audiences: "X-Employee: 1"; may be given several times`)
	cmd.Flags().StringVar(&ask.Host, "host", "", "the host it asks for")
	cmd.Flags().StringVar(&ask.Path, "path", "", "its path")
	cmd.Flags().StringVar(&ask.Query, "query", "", "its query, without the question mark")
	cmd.Flags().StringVar(&ask.Client, "client", "", "the client's address")
	check := func([]string) error {
		switch {
		case *key == "":
			return usagef("serin explain --key alice", "explain needs a key")
		case len(*key) > 16<<10:
			return usagef("of a key the first 256 bytes count", "the key is longer than 16 KiB")
		}
		ask.Key = *key
		if _, err := ask.Request(); err != nil {
			return usagef(`serin explain --key alice --header "X-Employee: 1" --client 10.8.0.7`, "%v", err)
		}
		return nil
	}
	e.asks(cmd, check, func(ctx context.Context, q *question, _ []string) error {
		x, err := q.Explain(ctx, ask)
		if err != nil {
			return err
		}
		return q.answer(x, func() { e.printExplained(x) })
	})
	return cmd
}

// printExplained says where a user goes.
func (e *env) printExplained(x admin.Explain) {
	for _, r := range x.Rollouts {
		line := fmt.Sprintf("%s: bucket %d, %s", clean(r.Name), r.Bucket, r.Arm)
		if r.Arm == "none" {
			line = clean(r.Name) + ": neither arm"
		}
		if r.Reason != "" {
			line += " (" + clean(r.Reason) + ")"
		}
		e.print(line)
		switch {
		case r.Audience != "" && r.Arm == "canary":
			e.print("  by audience " + clean(r.Audience) + ", whatever the weight")
		case r.FlipsAtWeight != nil:
			e.print("  canary from weight " + percent(*r.FlipsAtWeight) + " on")
		}
	}
	for _, x := range x.Experiments {
		line := fmt.Sprintf("%s: bucket %d, arm %s", clean(x.Name), x.Bucket, clean(x.Arm))
		switch x.Reason {
		case "stopped":
			line += " (his own was stopped, or the experiment does not run)"
		case "outside":
			line = fmt.Sprintf("%s: no arm (not a member of audience %s, which this experiment is for)", clean(x.Name), clean(x.For))
		case "other":
			line += " (another member of the exclusive group has this user)"
		}
		e.print(line)
	}
	for _, f := range x.Flags {
		e.print(fmt.Sprintf("%s: %s (%s)", clean(f.Name), valueText(f.Value), clean(f.Reason)))
	}
	if len(x.Rollouts)+len(x.Experiments)+len(x.Flags) == 0 {
		fmt.Fprintln(e.stderr, "serin: there is no rollout, experiment or flag")
	}
}
