package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"serin/proxy/admin"
)

// drillFlags are a drill as it is written.
type drillFlags struct {
	abort, delay, cut, header, reason string
	length                            time.Duration
	most                              int64
	stop, detach                      bool
}

func newDrillCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drill NAME",
		Short: "inject faults on the canary arm only, and see which gate would fire",
		Long: `Injects faults into requests of the canary for a bounded time and lets a copy of
the rollout's gates judge what they see. The rollout itself learns nothing of
it: what was tampered with is no evidence. With --header only requests with
that field are taken, half of them on the canary, whatever its share.

Waits for the end and reports which gate would have fired, after how many
requests and seconds: exit 0 when one would have rolled back, 1 when none
would. An interrupted drill goes on until its time is over. Without a fault to
inject it shows the drill that runs, or the last one.`,
		Example: `  serin drill checkout --abort 503=20% --for 60s
  serin drill checkout --delay 200ms=10% --cut 5% --for 2m --header "X-Drill: 1"
  serin drill checkout --stop`,
		Args: oneName,
	}
	var f drillFlags
	f.declare(cmd.Flags())
	var order *admin.DrillOrder
	check := func(args []string) (err error) {
		if len(args) == 0 {
			return usagef("serin drill NAME", "drill needs the name of a rollout")
		}
		for _, name := range []string{"for", "header", "max-faults", "detach"} {
			if cmd.Flags().Changed(name) && !f.faulty() && !f.stop {
				return usagef("--abort 503=20%, --delay 200ms=10% or --cut 5%", "--%s without a fault to inject", name)
			}
		}
		order, err = f.order(e.actor())
		return err
	}
	e.asks(cmd, check, func(ctx context.Context, q *question, args []string) error { return q.drill(ctx, args[0], &f, order) })
	return cmd
}

// declare names the verb's flags.
func (f *drillFlags) declare(flags *pflag.FlagSet) {
	flags.StringVar(&f.abort, "abort", "", "answer a share in the canary's place: 503=20%")
	flags.StringVar(&f.delay, "delay", "", "hold a share up first: 200ms=10%")
	flags.StringVar(&f.cut, "cut", "", "break off the answers of a share: 5%")
	flags.DurationVar(&f.length, "for", time.Minute, "how long, from 1s to 1h")
	flags.StringVar(&f.header, "header", "", `take only requests with this field: "X-Drill: 1"`)
	flags.Int64Var(&f.most, "max-faults", 0, "tamper with at most so many requests (default\n1000, with --header 100000)")
	flags.StringVar(&f.reason, "reason", "", "why, for the journal")
	flags.BoolVar(&f.stop, "stop", false, "end the drill that runs")
	flags.BoolVar(&f.detach, "detach", false, "do not wait for the end")
}

// drill stops, shows, or begins and follows a drill; without an order it shows.
func (q *question) drill(ctx context.Context, name string, f *drillFlags, order *admin.DrillOrder) error {
	e := q.env
	switch {
	case f.stop:
		d, err := q.StopDrill(ctx, name, e.actor())
		if err != nil {
			return err
		}
		return q.decided(d)
	case order == nil:
		d, err := q.Drills(ctx, name)
		if err != nil {
			return err
		}
		return e.printDrills(d, q.json)
	}
	d, err := q.Drill(ctx, name, *order)
	if err != nil {
		return err
	}
	if f.detach {
		return q.decided(d)
	}
	if !q.json {
		e.print(wrapped(d.Sentence, "")...)
	}
	return e.followDrill(ctx, q.Client, name, q.json)
}

// faulty reports whether there is something to inject.
func (f *drillFlags) faulty() bool { return f.abort != "" || f.delay != "" || f.cut != "" }

// order is what the flags ask for; nil for nothing.
func (f *drillFlags) order(actor string) (*admin.DrillOrder, error) {
	o := &admin.DrillOrder{ForSeconds: f.length.Seconds(), MaxFaults: f.most, Actor: actor, Reason: f.reason}
	switch {
	case !f.faulty():
		return nil, nil
	case f.stop:
		return nil, usagef("serin drill NAME --stop", "--stop goes without faults")
	case f.length < time.Second || f.length > time.Hour:
		return nil, usagef("60s, for example", "--for %s: a drill lasts from 1s to 1h", f.length)
	}
	var err error
	if f.abort != "" {
		if o.Status, o.Abort, err = f.aborts(); err != nil {
			return nil, err
		}
	}
	if f.delay != "" {
		length, part, both := strings.Cut(f.delay, "=")
		d, err := time.ParseDuration(length)
		if !both || err != nil || d <= 0 {
			return nil, usagef("200ms=10%", "--delay %q: want a time and a share", f.delay)
		}
		o.DelayMS = int(max(d.Milliseconds(), 1))
		if o.Delay, err = sharePart("--delay", "200ms=10%", part); err != nil {
			return nil, err
		}
	}
	if f.cut != "" {
		if o.Cut, err = sharePart("--cut", "5%", f.cut); err != nil {
			return nil, err
		}
	}
	if f.header != "" {
		name, value, _ := strings.Cut(f.header, ":")
		o.Header, o.Value = strings.TrimSpace(name), strings.TrimSpace(value)
	}
	return o, nil
}

// aborts reads "503=20%", or "20%" for 503.
func (f *drillFlags) aborts() (status int, share float64, err error) {
	const example = "503=20%"
	code, part, both := strings.Cut(f.abort, "=")
	if !both {
		code, part = "503", f.abort
	}
	if status, err = strconv.Atoi(code); err != nil {
		return 0, 0, usagef(example, "--abort %q: %q is no status", f.abort, code)
	}
	if status < 500 || status > 599 {
		return 0, 0, usagef(example, "--abort %q: want the status of a service that fails, 500 to 599", f.abort)
	}
	share, err = sharePart("--abort", example, part)
	return status, share, err
}

// sharePart reads "20%".
func sharePart(flag, example, text string) (float64, error) {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(v > 0 && v <= 100) {
		return 0, usagef(example, "%s: %q is no share above 0%% and up to 100%%", flag, text)
	}
	return v / 100, nil
}

// followDrill waits for the end of the drill that runs, restarts of the daemon included, and reports.
func (e *env) followDrill(ctx context.Context, c *admin.Client, name string, asJSON bool) error {
	answered := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		d, err := c.Drills(ctx, name)
		var unreachable *admin.UnreachableError
		switch {
		case err == nil:
			answered = time.Now()
		case !errors.As(err, &unreachable) || time.Since(answered) > patience:
			return err
		default:
			continue
		}
		if d.Running != nil || d.Last == nil {
			continue
		}
		if asJSON {
			err = e.printJSON(d.Last)
		} else {
			e.print(drillReport(d.Last)...)
		}
		if !d.Last.Passed {
			return errors.Join(err, &exitError{code: exitFailure})
		}
		return err
	}
}

func (e *env) printDrills(d admin.Drill, asJSON bool) error {
	switch {
	case asJSON:
		return e.printJSON(d)
	case d.Running != nil:
		e.print(wrapped("Running: "+d.Running.Sentence, "")...)
	case d.Last != nil:
		e.print(drillReport(d.Last)...)
	default:
		e.print("No drill was run yet.")
	}
	return nil
}

// drillEnds says why a drill ended.
var drillEnds = map[string]string{
	"fired": "a gate fired", "time": "its time was over", "spent": "it had tampered with as many requests as it may",
	"stopped": "stopped", "over": "the rollout ended",
}

// drillReport tells a result.
func drillReport(d *admin.DrillRun) []string {
	lines := wrapped(fmt.Sprintf("Drill of revision %s over after %s, %s.", d.Revision, span(d.ElapsedSeconds), drillEnds[d.End]), "")
	lines = append(lines,
		fmt.Sprintf("  injected  %s aborts, %s delays, %s cuts", count(d.Injected.Aborted), count(d.Injected.Delayed), count(d.Injected.Cut)),
		fmt.Sprintf("  judged    %s requests of the canary, %s of stable", count(d.Requests.Canary), count(d.Requests.Stable)))
	if h := d.Held; h != nil {
		lines = append(lines, firingText("held", h))
	}
	if f := d.Fired; f != nil {
		lines = append(lines, firingText("fired", f))
	}
	verdict := "Passed: "
	if !d.Passed {
		verdict = "Not passed: "
	}
	return append(lines, wrapped(verdict+d.Sentence, "")...)
}

func firingText(what string, f *admin.Firing) string {
	return fmt.Sprintf("  %-9s %s after %s requests of the canary, %s", what, words(f.Gate), count(f.AfterRequests), shortSpan(f.AfterSeconds))
}

// shortSpan is span with a decimal where that tells more.
func shortSpan(seconds float64) string {
	if seconds < 10 {
		return strconv.FormatFloat(seconds, 'f', 1, 64) + " s"
	}
	return span(seconds)
}
