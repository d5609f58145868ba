package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"serin/config"
	"serin/gate/journal"
	"serin/gate/replay"
)

// replayed is replay's JSON.
type replayed struct {
	Journal  string           `json:"journal"`
	Attempts []replay.Attempt `json:"attempts"`
	Damaged  int              `json:"damaged_lines"`
}

func newReplayCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay [NAME] -c FILE --journal DIR",
		Short: "judge recorded releases again with other gates",
		Long: `Judges what a state directory has recorded with the gates of a file: which
decisions of the past they would have made too, which they would have held, and
when they would have rolled back. Reads only; a serin may be running on it.

After the first decision that would have been another, the traffic would have
been another too: from there on a replay tells what the gates make of the
traffic as it was.`,
		Args: oneName,
	}
	file := cmd.Flags().StringP("config", "c", "", "the file whose gates judge (default $SERIN_CONFIG)")
	dir := cmd.Flags().String("journal", "", "the state directory (default the file's state.dir)")
	output := outputFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		path, err := e.configPath(*file)
		if err != nil {
			return err
		}
		plan, err := e.loadPlan(path)
		if err != nil {
			return err
		}
		if *dir == "" {
			*dir = plan.StateDir
		}
		signal.Reset(os.Interrupt, syscall.SIGTERM) // nothing to tidy up
		return e.replay(plan, *dir, args, asJSON)
	}
	return cmd
}

func (e *env) replay(plan *config.Plan, dir string, names []string, asJSON bool) error {
	past, err := journal.ReadPast(dir, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return &exitError{code: exitFailure, err: fmt.Errorf("%s holds no journal", dir), hint: "--journal names the state directory of the serin whose releases are judged"}
	}
	if err != nil {
		return err
	}
	out := replayed{Journal: dir, Attempts: []replay.Attempt{}, Damaged: past.Damaged}
	known := false
	for i := range plan.Rollouts {
		r := &plan.Rollouts[i]
		if len(names) == 1 && names[0] != r.Name {
			continue
		}
		known = true
		out.Attempts = append(out.Attempts, replay.Attempts(past, r.Name, r.Policy)...)
	}
	if !known {
		return usagef("serin replay [NAME] -c FILE --journal DIR", "the file has no rollout %q", names[0])
	}
	if asJSON {
		return e.printJSON(out)
	}
	for i := range out.Attempts {
		if i > 0 {
			e.print("")
		}
		e.print(replayText(&out.Attempts[i])...)
	}
	if len(out.Attempts) == 0 {
		fmt.Fprintln(e.stderr, "serin: "+dir+" has recorded nothing of the rollouts of this file")
	}
	if past.Damaged > 0 {
		fmt.Fprintf(e.stderr, "serin: %s could not be read and were left out\n", plural(past.Damaged, "line"))
	}
	return nil
}

// replayText is one attempt: what was, what would have been, and where they part.
func replayText(a *replay.Attempt) []string {
	now := time.Now()
	lines := []string{cut(fmt.Sprintf("%s attempt %d of revision %s, %s to %s: %s", a.Rollout, a.Number, a.Revision,
		clock(a.From, now), clock(a.To, now), words(a.Ended)))}
	for _, p := range a.Points {
		lines = append(lines, pointText(p)...)
	}
	lines = append(lines, wrapped(outcomeText(a), "  ")...)
	if a.Unjudged > 0 {
		lines = append(lines, wrapped(fmt.Sprintf("of %d looks, %d are at stages that no gate of this file judges", a.Looks, a.Unjudged), "  ")...)
	}
	if len(a.LeftOut) > 0 {
		lines = append(lines, wrapped("left out, for a journal does not record what they ask: "+strings.Join(a.LeftOut, ", "), "  ")...)
	}
	return lines
}

func pointText(p replay.Point) []string {
	mark := " "
	if p.Differs {
		mark = "*"
	}
	head := fmt.Sprintf("%s %s  ", mark, p.At.Local().Format(time.TimeOnly))
	switch {
	case p.Action == "":
		head += "nothing at " + percent(p.From)
	case p.From != p.To:
		head += fmt.Sprintf("%s %s -> %s", words(p.Action), percent(p.From), percent(p.To))
	default:
		head += words(p.Action) + " at " + percent(p.From)
	}
	switch p.Would {
	case replay.TheSame:
		head += ", by " + p.By
	case replay.WouldFail:
		head += ": would roll back"
	default:
		head += ": would " + p.Would
	}
	if p.Reason != "" && p.Would == replay.WouldHold {
		head += ", " + words(p.Reason)
	}
	lines := []string{cut(head)}
	if p.Differs {
		for _, g := range p.Gates {
			lines = append(lines, gateText(g)...)
		}
	}
	return lines
}

func outcomeText(a *replay.Attempt) string {
	switch a.Outcome {
	case replay.RolledBack:
		text := "It would have been rolled back"
		if a.Earlier != nil {
			text += fmt.Sprintf(" %s sooner", span(*a.Earlier))
		}
		return text + fmt.Sprintf(": %s canary requests came after that.", count(a.Spared))
	case replay.NotRolledBack:
		return "These gates would not have rolled it back by then."
	case replay.Held:
		return "It would have held at " + a.Diverges.Local().Format(time.TimeOnly) + "; what came after that would have been other traffic."
	}
	return "These gates would have decided the same."
}
