package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

// patience is how long watch and wait bear a daemon that stopped answering: a restart takes less.
const patience = 30 * time.Second

// errEnded ends a stream whose rollout has come to its end.
var errEnded = errors.New("the rollout has ended")

func newWatchCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch [NAME]",
		Short: "the rollout live on the screen, until it ends",
		Long: `On a terminal a live screen: ladder, gates, charts, log, and keys to pause, promote and
roll back. With -o text, or where no terminal is, a line at every change; with -o json
one JSON status a line, the default into a pipe.
Ends with the rollout's exit code: 0 completed, 3 rolled back.`,
		Args: oneName,
	}
	t := e.targetFlags(cmd)
	output := cmd.Flags().StringP("output", "o", "", "screen, text or json (default screen on a terminal, else json)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		form, err := e.watchForm(*output)
		if err != nil {
			return err
		}
		c, err := t.client()
		if err != nil {
			return err
		}
		defer c.Close()
		ro, err := t.pick(cmd.Context(), c, args)
		if err != nil {
			return err
		}
		if _, over := ended(ro); form == "screen" && !over {
			return e.live(cmd.Context(), c, ro, os.Stdin)
		}
		w := watcher{env: e, json: form == "json"}
		f := follower{name: ro.Name, on: w.show}
		return f.follow(cmd.Context(), c)
	}
	return cmd
}

// watchForm is how watch shows: screen, text or json.
func (e *env) watchForm(asked string) (string, error) {
	switch {
	case asked == "" && isTerminal(e.stdout) && isTerminal(os.Stdin):
		return "screen", nil
	case asked == "" && isTerminal(e.stdout):
		return "text", nil
	case asked == "":
		return "json", nil
	case asked == "screen" && !isTerminal(e.stdout):
		return "", usagef("-o text or -o json", "the screen needs a terminal")
	case !slices.Contains([]string{"screen", "text", "json"}, asked):
		return "", usagef("-o screen, -o text or -o json", "there is no output form %q", asked)
	}
	return asked, nil
}

// follower takes one rollout's statuses from the daemon's events until the rollout ends.
type follower struct {
	name string
	on   func(admin.Rollout) error // an error ends following
	last string                    // event, to resume after a break
	end  error
}

// follow reads events until the rollout ends; a stream that breaks is taken up again.
func (f *follower) follow(ctx context.Context, c *admin.Client) error {
	silent := time.Now()
	for {
		err := c.Events(ctx, f.last, func(ev admin.Event) error {
			silent = time.Now()
			return f.event(ev)
		})
		var unreachable *admin.UnreachableError
		switch {
		case errors.Is(err, errEnded):
			return f.end
		case !errors.As(err, &unreachable) || time.Since(silent) > patience:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func (f *follower) event(ev admin.Event) error {
	if ev.ID != "" {
		f.last = ev.ID
	}
	switch ev.Kind {
	case "snapshot":
		var all admin.Rollouts
		if err := json.Unmarshal(ev.Data, &all); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		i := slices.IndexFunc(all.Rollouts, func(ro admin.Rollout) bool { return ro.Name == f.name })
		if i < 0 {
			return f.removed()
		}
		return f.status(all.Rollouts[i])
	case "rollout":
		var ro admin.Rollout
		if err := json.Unmarshal(ev.Data, &ro); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if ro.Name == f.name {
			return f.status(ro)
		}
	case "removed":
		var gone struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(ev.Data, &gone) == nil && gone.Name == f.name {
			return f.removed()
		}
	}
	return nil
}

func (f *follower) removed() error {
	f.end = &exitError{code: exitFailure, err: fmt.Errorf("rollout %s is no longer in the configuration", f.name)}
	return errEnded
}

func (f *follower) status(ro admin.Rollout) error {
	if err := f.on(ro); err != nil {
		return err
	}
	if code, over := ended(ro); over {
		if code != exitOK {
			f.end = &exitError{code: code}
		}
		return errEnded
	}
	return nil
}

// watcher prints one rollout's changes.
type watcher struct {
	env  *env
	json bool
	seen string // what the line before said
}

func (w *watcher) show(ro admin.Rollout) error {
	if w.json {
		enc := json.NewEncoder(w.env.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(ro)
	}
	if seen := fmt.Sprint(ro.Version, ro.Phase, ro.Weight, ro.Stage.Index, ro.Reason); seen != w.seen {
		w.seen = seen
		w.env.print(brief(ro, time.Now()))
		w.env.print(wrapped(ro.Sentence, "          ")...)
	}
	return nil
}

// ended says whether a rollout has come to its end, and the exit code that tells how.
func ended(ro admin.Rollout) (code int, over bool) {
	switch strings.ToLower(ro.Phase) {
	case "completed":
		return exitOK, true
	case "rolled_back":
		return exitRolledBack, true
	}
	return exitOK, false
}
