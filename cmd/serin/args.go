package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// noArgs refuses every argument; the hint is how the verb is called.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef(cmd.Parent().CommandPath()+" "+cmd.Use, "%s takes no argument, got %q", cmd.Name(), args[0])
}

// oneName takes the name of a rollout, or nothing.
func oneName(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return usagef(cmd.Parent().CommandPath()+" "+cmd.Use, "%s takes one name, got %d", cmd.Name(), len(args))
	case len(args) == 1 && args[0] == "":
		return usagef(cmd.Parent().CommandPath()+" "+cmd.Use, "the name of the rollout is empty")
	}
	return nil
}

// knownVerb refuses a word that is no verb, with the one that was perhaps meant.
func knownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := cmd.CommandPath() + " --help lists the verbs"
	if cmd.SuggestionsMinimumDistance == 0 {
		cmd.SuggestionsMinimumDistance = cmd.Root().SuggestionsMinimumDistance
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef(hint, "%s has no verb %q", cmd.CommandPath(), args[0])
}

// ownWords gives cobra's own verbs our manners: lower case, and a word they do not know is an error.
func ownWords(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Short = "generate the completion script of a shell"
			cmd.Args = knownVerb
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			cmd.Short = "help about any verb"
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if found, _, err := root.Find(args); err != nil || found == root && len(args) > 0 {
					return knownVerb(root, args)
				}
				return nil
			}
		}
	}
}
