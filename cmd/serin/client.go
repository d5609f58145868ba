package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"serin/config"
	"serin/proxy/admin"
)

const defaultAdmin = "127.0.0.1:9180"

// target holds the flags by which a verb finds its daemon.
type target struct {
	env        *env
	admin      string
	configFile string
	token      string
	tokenFile  string
	ca         string
}

// targetFlags adds --admin and -c to a verb that talks to the daemon.
func (e *env) targetFlags(cmd *cobra.Command) *target {
	t := &target{env: e}
	cmd.Flags().StringVar(&t.admin, "admin", "", "the daemon: host:port, URL or unix:/path (default\n$SERIN_ADMIN, else that of -c, else "+defaultAdmin+")")
	cmd.Flags().StringVarP(&t.configFile, "config", "c", "", "file whose admin.address is used (default\n$SERIN_CONFIG)")
	cmd.Flags().StringVar(&t.token, "token", "", "who asks (default $SERIN_TOKEN); other users of this machine\ncan see it: a file is better")
	cmd.Flags().StringVar(&t.tokenFile, "token-file", "", "file with the token (default $SERIN_TOKEN_FILE)")
	cmd.ValidArgsFunction = t.completeNames
	cmd.Flags().StringVar(&t.ca, "ca", "", "file with the authorities of an https daemon (default\n$SERIN_CA, else the system's)")
	return t
}

// client is the daemon's: --admin, $SERIN_ADMIN, the file's admin address, then the default.
func (t *target) client() (*admin.Client, error) {
	address, err := t.address()
	if err != nil {
		return nil, err
	}
	c, err := admin.NewClient(address)
	if err != nil {
		return nil, &exitError{code: exitUsage, err: err}
	}
	return c, t.equip(c)
}

func (t *target) address() (string, error) {
	if t.admin != "" {
		return t.admin, nil
	}
	if a := t.env.getenv("SERIN_ADMIN"); a != "" {
		return a, nil
	}
	file, asked := t.configFile, t.configFile != ""
	if !asked {
		file = t.env.getenv("SERIN_CONFIG")
	}
	if file == "" {
		return defaultAdmin, nil
	}
	address, problems := config.AdminURL(file, config.Options{Getenv: t.env.getenv})
	if len(problems) > 0 {
		t.env.printProblems(problems)
		return "", &exitError{code: exitConfig, err: fmt.Errorf("%s does not say where the daemon is", file), hint: "--admin ADDR or $SERIN_ADMIN names it"}
	}
	return address, nil
}

// question is one run of a verb that asks the daemon.
type question struct {
	*admin.Client
	env    *env
	target *target
	json   bool // what -o says
}

// asks makes cmd a verb that asks the daemon: it gets the flags to find it, and -o. check, unless it is nil, looks at the
// arguments and flags before anybody is asked.
func (e *env) asks(cmd *cobra.Command, check func(args []string) error, run func(ctx context.Context, q *question, args []string) error) {
	t := e.targetFlags(cmd)
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asJSON, err := wantJSON(*output)
		if err == nil && check != nil {
			err = check(args)
		}
		if err != nil {
			return err
		}
		c, err := t.client()
		if err != nil {
			return err
		}
		defer c.Close()
		return run(cmd.Context(), &question{c, e, t, asJSON}, args)
	}
}

// answer prints v where JSON is wanted, else what text prints.
func (q *question) answer(v any, text func()) error {
	if q.json {
		return q.env.printJSON(v)
	}
	text()
	return nil
}

// pick is the rollout that is meant.
func (q *question) pick(ctx context.Context, args []string) (admin.Rollout, error) {
	return q.target.pick(ctx, q.Client, args)
}

// pick is the rollout a verb means: the one named, or the only one there is.
func (t *target) pick(ctx context.Context, c *admin.Client, args []string) (admin.Rollout, error) {
	if len(args) == 1 {
		return c.Rollout(ctx, args[0])
	}
	list, err := c.Rollouts(ctx)
	switch {
	case err != nil:
		return admin.Rollout{}, err
	case len(list) == 0:
		return admin.Rollout{}, &exitError{code: exitFailure, err: errors.New("the daemon has no rollout"), hint: "its configuration has none"}
	case len(list) > 1:
		return admin.Rollout{}, usagef("they are "+strings.Join(names(list), ", "), "there are %d rollouts: name one", len(list))
	}
	return list[0], nil
}

func names(list []admin.Rollout) []string {
	out := make([]string, len(list))
	for i, ro := range list {
		out[i] = ro.Name
	}
	return out
}

// actor is who the journal names for what is done from this shell.
func (e *env) actor() string {
	for _, name := range []string{"SERIN_ACTOR", "USER", "LOGNAME"} {
		if v := e.getenv(name); v != "" {
			return v
		}
	}
	return "cli"
}

// outputFlag adds -o to a reading verb.
func outputFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("output", "o", "text", "text or json")
}

// wantJSON reads -o.
func wantJSON(output string) (bool, error) {
	switch output {
	case "json":
		return true, nil
	case "text", "":
		return false, nil
	}
	return false, usagef("text or json", "-o %q is unknown", output)
}

// isTerminal tells whether a writer is a screen somebody looks at.
func isTerminal(w any) bool {
	f, ok := w.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
