package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"serin/config"
)

func newConfigCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "the configuration: in force, or what a file may say", Args: knownVerb}
	cmd.RunE = func(*cobra.Command, []string) error {
		return usagef("serin config effective, or serin config schema", "config needs a verb")
	}
	cmd.AddCommand(newEffectiveCmd(e), newSchemaCmd(e))
	return cmd
}

func newEffectiveCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "effective",
		Short: "the configuration with every default filled in",
		Long: `Prints the configuration with every default filled in, secrets left out, as TOML
or, with -o json, as the same tables in JSON: of the file that -c or
$SERIN_CONFIG names, else what a daemon has in force.`,
		Args: noArgs,
	}
	t := e.targetFlags(cmd)
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		file := t.configFile
		if file == "" && t.admin == "" && e.getenv("SERIN_ADMIN") == "" {
			file = e.getenv("SERIN_CONFIG")
		}
		text := ""
		if file != "" {
			plan, err := e.loadPlan(file)
			if err != nil {
				return err
			}
			text = config.Effective(plan)
		} else {
			c, err := t.client()
			if err != nil {
				return err
			}
			defer c.Close()
			answer, err := c.Config(cmd.Context())
			if err != nil {
				return err
			}
			text = answer.TOML
		}
		if asJSON {
			tree, err := config.Tree(text)
			if err != nil {
				return err
			}
			return e.printJSON(tree)
		}
		fmt.Fprint(e.stdout, text)
		return nil
	}
	return cmd
}

// loadPlan is a file's plan; what is wrong with the file is printed.
func (e *env) loadPlan(file string) (*config.Plan, error) {
	plan, problems := config.Load(file, config.Options{Getenv: e.getenv})
	if plan == nil {
		e.printProblems(problems)
		return nil, &exitError{code: exitConfig, err: fmt.Errorf("%s is invalid: %s", file, plural(len(problems), "problem"))}
	}
	return plan, nil
}

func newSchemaCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "the JSON Schema of the file; -o markdown for the reference",
		Args:  noArgs,
	}
	output := cmd.Flags().StringP("output", "o", "json", "json or markdown")
	cmd.RunE = func(*cobra.Command, []string) error {
		switch *output {
		case "json":
			e.stdout.Write(config.Schema())
		case "markdown":
			fmt.Fprint(e.stdout, config.Reference())
		default:
			return usagef("json or markdown", "-o %q is unknown", *output)
		}
		return nil
	}
	return cmd
}
