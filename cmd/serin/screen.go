package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"serin/proxy/admin"
)

// screen is the live view of one rollout: a model of bubbletea. All of it is Update's and View's; what takes time
// (asking the daemon) is a command whose answer comes back as a message.
type screen struct {
	name          string
	actor         string
	ask           daemonCalls
	width, height int
	now           time.Time
	heard         time.Time // when the daemon last said something

	rollout   admin.Rollout
	series    admin.Series
	decisions []admin.DecisionView
	asked     uint64 // version whose decisions were asked for

	dialog *dialog // nil: none open
	note   string  // what the last act came to
}

// daemonCalls are the questions a screen asks. Implemented by admin.Client.
type daemonCalls interface {
	Series(ctx context.Context, name, part string, points int) (admin.Series, error)
	Decisions(ctx context.Context, name string, since time.Time, limit int) ([]admin.DecisionView, error)
	Act(ctx context.Context, name, verb string, a admin.Act) (admin.DecisionView, error)
}

// dialog asks before an act: what it does, and for its reason.
type dialog struct {
	verb, consequence string
	needsReason       bool
	reason            []rune
}

// act is a key and the verb behind it.
type act struct{ key, verb, word string }

// acts are the keys of the screen, in the order of its last line.
var acts = []act{
	{"s", "start", "start"}, {"a", "approve", "approve"}, {"p", "pause", "pause"}, {"r", "resume", "resume"},
	{"+", "promote", "promote"}, {"-", "step-back", "step back"}, {"b", "rollback", "roll back"},
}

// Messages of the screen.
type (
	rolloutMsg   admin.Rollout
	seriesMsg    admin.Series
	decisionsMsg []admin.DecisionView
	actedMsg     struct {
		sentence string
		err      error
	}
	clockMsg time.Time
)

const (
	screenAnswer = 5 * time.Second // how long the screen waits for an answer
	screenLog    = 30              // decisions kept for the log
	screenPoints = 240             // more than any terminal is wide
)

// Init asks for the past and starts the clock.
func (s *screen) Init() tea.Cmd { return tea.Batch(s.askSeries(), clock1Hz()) }

func clock1Hz() tea.Cmd {
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return clockMsg(t) })
}

// Update is what a message changes.
func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = m.Width, m.Height
	case clockMsg:
		s.now = time.Time(m)
		cmds := []tea.Cmd{clock1Hz()}
		if s.now.Second()%2 == 0 {
			cmds = append(cmds, s.askSeries())
		}
		return s, tea.Batch(cmds...)
	case rolloutMsg:
		return s, s.show(admin.Rollout(m))
	case seriesMsg:
		s.series = admin.Series(m)
	case decisionsMsg:
		s.decisions = m
	case actedMsg:
		s.note = clean(m.sentence)
		if m.err != nil {
			s.note = "Refused: " + clean(m.err.Error())
		}
	case tea.KeyPressMsg:
		if s.dialog != nil {
			return s, s.answer(m)
		}
		return s, s.press(m)
	}
	return s, nil
}

// show takes a new status; a new version has new decisions.
func (s *screen) show(ro admin.Rollout) tea.Cmd {
	s.rollout, s.heard = ro, s.now
	if s.asked == ro.Version {
		return nil
	}
	s.asked = ro.Version
	return s.askDecisions()
}

// press is a key outside a dialog.
func (s *screen) press(m tea.KeyPressMsg) tea.Cmd {
	switch m.String() {
	case "q", "esc", "ctrl+c":
		return tea.Quit
	}
	for _, a := range acts {
		if m.String() != a.key {
			continue
		}
		if !slices.Contains(s.rollout.Allowed, a.verb) {
			s.note = fmt.Sprintf("There is nothing to %s while %s is %s.", a.word, s.name, words(s.rollout.Phase))
			return nil
		}
		s.note = ""
		s.dialog = &dialog{verb: a.verb, consequence: consequence(s.rollout, a.verb), needsReason: a.verb == "rollback" || a.verb == "promote"}
	}
	return nil
}

// answer is a key inside the dialog: text for the reason, enter to act, escape to leave.
func (s *screen) answer(m tea.KeyPressMsg) tea.Cmd {
	d := s.dialog
	switch m.String() {
	case "ctrl+c":
		return tea.Quit
	case "esc":
		s.dialog, s.note = nil, "Nothing was done."
	case "backspace":
		d.reason = d.reason[:max(0, len(d.reason)-1)]
	case "enter":
		if d.needsReason && strings.TrimSpace(string(d.reason)) == "" {
			return nil // the dialog says that it wants one
		}
		s.dialog = nil
		return s.do(d.verb, strings.TrimSpace(string(d.reason)))
	default:
		for _, r := range m.Text {
			if unicode.IsPrint(r) && len(d.reason) < 200 {
				d.reason = append(d.reason, r)
			}
		}
	}
	return nil
}

// consequence says what an act will do, before it is done.
func consequence(ro admin.Rollout, verb string) string {
	weight, next := percent(ro.Weight), ""
	if i := ro.Stage.Index; i >= 1 && i < len(ro.Stages) {
		next = ro.Stages[i].Label
	}
	switch verb {
	case "rollback":
		return fmt.Sprintf("Roll back from %s to 0 %%: everybody is on stable again.", weight)
	case "promote":
		if next == "" {
			return "Complete the rollout now, evidence or not."
		}
		return fmt.Sprintf("Promote from %s to %s now, evidence or not.", weight, next)
	case "step-back":
		return fmt.Sprintf("Step back from %s to the stage before, and collect anew.", weight)
	case "pause":
		return fmt.Sprintf("Pause at %s: the stage clock stops; a rollback may still fire.", weight)
	case "resume":
		return fmt.Sprintf("Resume at %s.", weight)
	case "approve":
		return "Approve: the stage that waits begins."
	case "start":
		return "Start the rollout at its first stage."
	}
	return verb
}

func (s *screen) do(verb, reason string) tea.Cmd {
	version := s.rollout.Version
	a := admin.Act{Reason: reason, Actor: s.actor, IfVersion: &version}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), screenAnswer)
		defer cancel()
		d, err := s.ask.Act(ctx, s.name, verb, a)
		return actedMsg{d.Sentence, err}
	}
}

func (s *screen) askSeries() tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), screenAnswer)
		defer cancel()
		series, err := s.ask.Series(ctx, s.name, "live", screenPoints)
		if err != nil {
			return nil // the head of the screen says how old it is
		}
		return seriesMsg(series)
	}
}

func (s *screen) askDecisions() tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), screenAnswer)
		defer cancel()
		list, err := s.ask.Decisions(ctx, s.name, time.Time{}, screenLog)
		if err != nil {
			return nil
		}
		return decisionsMsg(list)
	}
}

// live shows the rollout on the terminal until it ends or the person leaves, and returns what it was last.
func (e *env) live(ctx context.Context, c *admin.Client, ro admin.Rollout, in io.Reader, options ...tea.ProgramOption) error {
	s := &screen{name: ro.Name, actor: e.actor(), ask: c, now: time.Now(), heard: time.Now(), rollout: ro, width: columns, height: 24}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := tea.NewProgram(s, append([]tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(e.stdout), tea.WithoutSignalHandler()}, options...)...)
	f := follower{name: ro.Name, on: func(ro admin.Rollout) error { p.Send(rolloutMsg(ro)); return nil }}
	followed := make(chan error, 1)
	go func() {
		err := f.follow(ctx, c)
		followed <- err
		p.Quit()
	}()
	_, err := p.Run()
	cancel()
	end := <-followed
	switch {
	case err != nil && !errors.Is(err, tea.ErrInterrupted) && !errors.Is(err, tea.ErrProgramKilled):
		return fmt.Errorf("draw the screen: %w", err)
	case errors.Is(end, context.Canceled):
		return nil // the person left; the rollout goes on
	}
	e.print(brief(s.rollout, time.Now()))
	e.print(wrapped(s.rollout.Sentence, "          ")...)
	return end
}
