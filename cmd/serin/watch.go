package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
		Short: "a line at every change, until the rollout ends",
		Long: `A line at every change: text on a terminal, else one JSON status a line.
Ends with the rollout's exit code: 0 completed, 3 rolled back.`,
		Args: oneName,
	}
	t := e.targetFlags(cmd)
	output := cmd.Flags().StringP("output", "o", "", "text or json (default text on a terminal, else json)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		if *output == "" {
			asJSON = !isTerminal(e.stdout)
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
		w := watcher{env: e, name: ro.Name, json: asJSON}
		return w.follow(cmd.Context(), c)
	}
	return cmd
}

// watcher prints one rollout's changes.
type watcher struct {
	env  *env
	name string
	json bool
	last string // event, to resume after a break
	seen string // what the line before said
	end  error
}

// follow reads events until the rollout ends; a stream that breaks is taken up again.
func (w *watcher) follow(ctx context.Context, c *admin.Client) error {
	silent := time.Now()
	for {
		err := c.Events(ctx, w.last, func(ev admin.Event) error {
			silent = time.Now()
			return w.on(ev)
		})
		var unreachable *admin.UnreachableError
		switch {
		case errors.Is(err, errEnded):
			return w.end
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

func (w *watcher) on(ev admin.Event) error {
	if ev.ID != "" {
		w.last = ev.ID
	}
	switch ev.Kind {
	case "snapshot":
		var all admin.Rollouts
		if err := json.Unmarshal(ev.Data, &all); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		i := slices.IndexFunc(all.Rollouts, func(ro admin.Rollout) bool { return ro.Name == w.name })
		if i < 0 {
			return w.removed()
		}
		return w.show(all.Rollouts[i])
	case "rollout":
		var ro admin.Rollout
		if err := json.Unmarshal(ev.Data, &ro); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if ro.Name == w.name {
			return w.show(ro)
		}
	case "removed":
		var gone struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(ev.Data, &gone) == nil && gone.Name == w.name {
			return w.removed()
		}
	}
	return nil
}

func (w *watcher) removed() error {
	w.end = &exitError{code: exitFailure, err: fmt.Errorf("rollout %s is no longer in the configuration", w.name)}
	return errEnded
}

func (w *watcher) show(ro admin.Rollout) error {
	if w.json {
		enc := json.NewEncoder(w.env.stdout)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(ro); err != nil {
			return err
		}
	} else if seen := fmt.Sprint(ro.Version, ro.Phase, ro.Weight, ro.Stage.Index, ro.Reason); seen != w.seen {
		w.seen = seen
		w.env.print(brief(ro, time.Now()))
		w.env.print(wrapped(ro.Sentence, "          ")...)
	}
	if code, over := ended(ro); over {
		if code != exitOK {
			w.end = &exitError{code: code}
		}
		return errEnded
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
