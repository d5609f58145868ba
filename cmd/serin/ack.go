package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"serin/proxy/admin"
)

func newAckCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ack NAME",
		Short: "say that somebody looks: what is open is not told again",
		Long: `ack ends the repeats of a hold, a rollback or a request for approval (notify.NAME
repeat) and acknowledges the incident where the pager keeps one. It changes nothing
about the rollout; what is decided next may be told anew.`,
		Args: oneName,
	}
	named := func(args []string) error {
		if len(args) == 0 {
			return usagef("serin ack NAME", "ack needs the name of a rollout")
		}
		return nil
	}
	e.asks(cmd, named, func(ctx context.Context, q *question, args []string) error {
		done, err := q.Ack(ctx, args[0], admin.Act{Actor: e.actor()})
		if err != nil {
			return err
		}
		return q.answer(done, func() {
			text := fmt.Sprintf("Acknowledged the %s of %s: it is not told again.", words(done.Event), done.Rollout)
			if done.Before != "" {
				text = fmt.Sprintf("The %s of %s was acknowledged by %s already; now it is yours.", words(done.Event), done.Rollout, done.Before)
			}
			e.print(clean(text))
		})
	})
	return cmd
}

func newNotifyCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "who is told, and how that went",
		Args:  noArgs,
	}
	e.asks(cmd, nil, func(ctx context.Context, q *question, _ []string) error {
		list, err := q.Sinks(ctx)
		if err != nil {
			return err
		}
		return q.answer(admin.Sinks{Sinks: list}, func() {
			for _, s := range list {
				e.print(sinkText(s, time.Now())...)
			}
			if len(list) == 0 {
				fmt.Fprintln(e.stderr, "serin: nobody is told: the configuration has no [notify.NAME]")
			}
		})
	})
	cmd.AddCommand(newNotifyTestCmd(e))
	return cmd
}

func newNotifyTestCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test SINK",
		Short: "send a sample message, which says that it is one",
		Args:  oneName,
	}
	t := e.targetFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("serin notify test SINK", "test needs the name of a sink")
		}
		c, err := t.client()
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.TestSink(cmd.Context(), args[0]); err != nil {
			return err
		}
		e.print("A sample was sent to " + clean(args[0]) + ".")
		return nil
	}
	return cmd
}

func sinkText(s admin.Sink, now time.Time) []string {
	head := fmt.Sprintf("%s  %s  sent %s", clean(s.Name), s.Kind, count(s.Sent))
	for _, c := range []struct {
		n    uint64
		word string
	}{{uint64(s.Waiting), "waiting"}, {s.Failed, "tries failed"}, {s.Refused, "refused"}, {s.Expired, "expired"}, {s.Dropped, "dropped"}} {
		if c.n > 0 {
			head += fmt.Sprintf(", %s %s", count(c.n), c.word)
		}
	}
	if s.Resting {
		head += "  resting"
	}
	lines := []string{head, cut("  tells of " + strings.Join(s.Events, ", "))}
	if s.RepeatSeconds > 0 {
		lines[1] = cut(lines[1] + ", again every " + span(s.RepeatSeconds))
	}
	if s.LastSentAt != nil {
		lines = append(lines, "  last sent at "+clock(*s.LastSentAt, now))
	}
	if s.LastError != nil {
		lines = append(lines, wrapped("last try: "+*s.LastError, "  ")...)
	}
	return lines
}

// peopleText is what people have to do with a rollout: an override that led here, and what waits for somebody.
func peopleText(ro admin.Rollout) []string {
	var lines []string
	if d := ro.LastDecision; d != nil && d.Evidence.Override {
		text := "override: " + words(d.Action) + " by " + d.Actor
		if d.Evidence.TakenFrom != "" {
			text += " in place of " + d.Evidence.TakenFrom
		}
		if d.Evidence.Note != "" {
			text += ": " + d.Evidence.Note
		}
		lines = append(lines, wrapped(text, "  ")...)
	}
	if a := ro.Alert; a != nil {
		text := words(a.Event) + " was told, and nobody has said that they look (serin ack " + ro.Name + ")"
		if a.AcknowledgedBy != "" {
			text = words(a.Event) + " acknowledged by " + a.AcknowledgedBy
		}
		lines = append(lines, wrapped(text, "  ")...)
	}
	return lines
}
