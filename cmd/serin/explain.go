package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newExplainCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain --key KEY",
		Short: "where a user goes, and at which weight that changes",
		Args:  noArgs,
	}
	t := e.targetFlags(cmd)
	key := cmd.Flags().String("key", "", "the user's key, as a request carries it")
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		if *key == "" {
			return usagef("serin explain --key alice", "explain needs a key")
		}
		if len(*key) > 16<<10 {
			return usagef("of a key the first 256 bytes count", "the key is longer than 16 KiB")
		}
		c, err := t.client()
		if err != nil {
			return err
		}
		defer c.Close()
		x, err := c.Explain(cmd.Context(), *key)
		if err != nil {
			return err
		}
		if asJSON {
			return e.printJSON(x)
		}
		for _, r := range x.Rollouts {
			line := fmt.Sprintf("%s: bucket %d, %s", clean(r.Name), r.Bucket, r.Arm)
			if r.Reason != "" {
				line += " (" + clean(r.Reason) + ")"
			}
			e.print(line, "  canary from weight "+percent(r.FlipsAtWeight)+" on")
		}
		for _, x := range x.Experiments {
			e.print(fmt.Sprintf("%s: bucket %d, arm %s", clean(x.Name), x.Bucket, clean(x.Arm)))
		}
		for _, f := range x.Flags {
			e.print(fmt.Sprintf("%s: %v (%s)", clean(f.Name), f.Value, clean(f.Reason)))
		}
		if len(x.Rollouts)+len(x.Experiments)+len(x.Flags) == 0 {
			fmt.Fprintln(e.stderr, "serin: there is no rollout, experiment or flag")
		}
		return nil
	}
	return cmd
}
