package main

import (
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"serin/config"
)

// valueWords say what a flag takes, by the type that pflag gives its value.
var valueWords = map[string]struct{ is, hint string }{
	"float64":  {"number", "200 or 0.5, for example"},
	"int":      {"whole number", "3, for example"},
	"uint":     {"whole number", "3, for example"},
	"uint64":   {"whole number", "3, for example"},
	"duration": {"duration", "20m or 1h30m, for example"},
	"bool":     {"switch", "without a value"},
}

// flagError says in our words what is wrong with a flag, and what was perhaps meant.
func flagError(cmd *cobra.Command, err error) error {
	hint := cmd.CommandPath() + " --help lists its flags"
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if near := config.Suggest(unknown.GetSpecifiedName(), flagNames(cmd)); near != "" && unknown.GetSpecifiedShortnames() == "" {
			hint = "did you mean --" + near + "?"
		}
	case errors.As(err, &empty):
		name := "--" + empty.GetSpecifiedName()
		if empty.GetSpecifiedShortnames() != "" {
			name = name[1:]
		}
		err = fmt.Errorf("%s needs a value", name)
	case errors.As(err, &invalid):
		words, ok := valueWords[invalid.GetFlag().Value.Type()]
		if ok {
			err, hint = fmt.Errorf("--%s %q is no %s", invalid.GetFlag().Name, invalid.GetValue(), words.is), words.hint
		}
	}
	return &exitError{code: exitUsage, err: err, hint: hint}
}

// flagNames are the long names of a verb's flags.
func flagNames(cmd *cobra.Command) iter.Seq[string] {
	return func(yield func(string) bool) {
		more := true
		cmd.Flags().VisitAll(func(f *pflag.Flag) { more = more && yield(f.Name) })
	}
}
