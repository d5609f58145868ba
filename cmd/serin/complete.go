package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completing is how long a shell that completes a word waits for the daemon.
const completing = time.Second

// flagWords are the words of flags that take one of a few. The values of a verb's own flag come before those of all.
var flagWords = map[string][]string{
	"output":        {"text", "json"},
	"watch output":  {"screen", "text", "json"},
	"schema output": {"json", "markdown"},
	"wait for":      {"completed", "terminal"},
	"demo scenario": {"errors", "slow", "good", "sparse"},
}

// completes tells the shell what may stand where, for every verb below cmd.
func (e *env) completes(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		e.completes(sub)
	}
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, name := range []string{"output", "for", "scenario", "admin", "token", "reason", "rps", "revision", "since", "timeout"} {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		words, own := flagWords[cmd.Name()+" "+name]
		if !own {
			words = flagWords[name]
		}
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}

// completeNames completes the name of a rollout with those of the daemon; without one there is nothing to say.
func (t *target) completeNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 || !strings.Contains(cmd.Use, "NAME") {
		return nil, none
	}
	quiet := *t.env
	quiet.stderr = io.Discard
	asked := *t
	asked.env = &quiet
	c, err := asked.client()
	if err != nil {
		return nil, none
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), completing)
	defer cancel()
	list, err := c.Rollouts(ctx)
	if err != nil {
		return nil, none
	}
	return names(list), none
}
