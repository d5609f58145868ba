package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

func newWaitCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wait [NAME]",
		Short: "block until a rollout ends, for CI",
		Long: `Blocks until the rollout ends: exit 0 when it completed, 3 when it was rolled
back. A hold does not end it: at the timeout it exits 5 when the rollout is
held, paused or waiting for a person, else 4.`,
		Args: oneName,
	}
	target := cmd.Flags().String("for", "completed", "completed or terminal")
	timeout := cmd.Flags().Duration("timeout", 0, "give up after this long (default: never)")
	revision := cmd.Flags().String("revision", "", "wait for this revision, not for one before it")
	check := func([]string) error {
		switch {
		case *target != "completed" && *target != "terminal":
			return usagef("completed or terminal", "--for %q is unknown", *target)
		case *timeout < 0:
			return usagef("20m, for example", "--timeout %s is negative", *timeout)
		}
		return nil
	}
	e.asks(cmd, check, func(ctx context.Context, q *question, args []string) error {
		within := ctx
		if *timeout > 0 {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, *timeout)
			defer cancel()
		}
		ro, err := q.pick(ctx, args) // the first look is had in any case
		if err != nil {
			return err
		}
		err = e.wait(within, q.Client, &ro, *revision)
		if q.json {
			return errors.Join(e.printJSON(ro), err)
		}
		if _, over := ended(ro); over {
			e.print(clean(ro.Sentence))
		}
		return err
	})
	return cmd
}

// reader is what wait asks: an *admin.Client.
type reader interface {
	Rollout(ctx context.Context, name string) (admin.Rollout, error)
}

// wait asks once a second until the rollout ends or ctx does; ro is the newest answer.
func (e *env) wait(ctx context.Context, c reader, ro *admin.Rollout, revision string) error {
	answered := time.Now()
	for {
		if code, over := ended(*ro); over && (revision == "" || revision == ro.Revision) {
			if code == exitOK {
				return nil
			}
			return &exitError{code: code}
		}
		select {
		case <-ctx.Done():
			return waitedOut(ctx, *ro)
		case <-time.After(time.Second):
		}
		next, err := c.Rollout(ctx, ro.Name)
		var unreachable *admin.UnreachableError
		switch {
		case err == nil:
			*ro, answered = next, time.Now()
		case ctx.Err() != nil:
			return waitedOut(ctx, *ro)
		case !errors.As(err, &unreachable) || time.Since(answered) > patience:
			return err
		}
	}
}

// waitedOut says how things stand when the time is up.
func waitedOut(ctx context.Context, ro admin.Rollout) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	code := exitTimeout
	switch ro.Phase {
	case "holding", "paused", "awaiting_approval":
		code = exitHeld
	case "waiting":
		if ro.Reason == "manual" || ro.Reason == "stable_outdated" { // who mends the file is a person too
			code = exitHeld
		}
	}
	return &exitError{
		code: code,
		err:  fmt.Errorf("the time is up: %s is %s at %s", ro.Name, words(ro.Phase), percent(ro.Weight)),
		hint: ro.Sentence,
	}
}
