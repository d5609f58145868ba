package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"serin/gate"
	"serin/gate/control"
	"serin/proxy/admin"
)

// askedOf is a daemon that keeps what the screen asks of it.
type askedOf struct {
	verbs []string
	acts  []admin.Act
	fails error
}

func (a *askedOf) Series(context.Context, string, string, int) (admin.Series, error) {
	return admin.Series{}, a.fails
}

func (a *askedOf) Decisions(context.Context, string, time.Time, int) ([]admin.DecisionView, error) {
	return nil, a.fails
}

func (a *askedOf) Act(_ context.Context, name, verb string, act admin.Act) (admin.DecisionView, error) {
	a.verbs, a.acts = append(a.verbs, name+" "+verb), append(a.acts, act)
	return admin.DecisionView{Sentence: "Done to " + name + "."}, a.fails
}

var screenClock = time.Date(2026, 11, 20, 14, 2, 11, 0, time.UTC)

// screenOf shows a status.
func screenOf(s control.RolloutStatus, width, height int) (*screen, *askedOf) {
	ask := &askedOf{}
	ro := admin.RolloutOf(&s)
	return &screen{name: ro.Name, actor: "ann", ask: ask, width: width, height: height, now: screenClock, heard: screenClock, rollout: ro}, ask
}

// withPast gives a screen charts and a log.
func withPast(s *screen) *screen {
	for i := range 120 {
		p := admin.Point{At: screenClock.Add(time.Duration(i-120) * 2 * time.Second)}
		e, q := .01+.004*math.Sin(float64(i)/7), 180+40*math.Sin(float64(i)/11)
		p.Stable.ErrorRate, p.Stable.P99MS = &e, &q
		if i > 40 { // before that the canary had no requests
			ce, cq := e*1.4, q*1.1
			p.Canary.ErrorRate, p.Canary.P99MS = &ce, &cq
		}
		s.series.Live = append(s.series.Live, p)
	}
	s.decisions = []admin.DecisionView{
		{At: screenClock.Add(-17 * time.Minute), Sentence: "Advanced to 5 %: every gate passed."},
		{At: screenClock.Add(-33 * time.Minute), Sentence: "Started revision 2026-11-18.3 at stage 1, 1 %: the canary's pool is healthy."},
	}
	return s
}

func drawn(s *screen) string { return ansi.Strip(strings.Join(s.lines(), "\n")) + "\n" }

func press(s *screen, keys ...string) (last tea.Cmd) {
	for _, key := range keys {
		m := tea.KeyPressMsg{Text: key, Code: []rune(key)[0]}
		switch key {
		case "enter":
			m = tea.KeyPressMsg{Code: tea.KeyEnter}
		case "esc":
			m = tea.KeyPressMsg{Code: tea.KeyEscape}
		case "backspace":
			m = tea.KeyPressMsg{Code: tea.KeyBackspace}
		}
		_, last = s.Update(m)
	}
	return last
}

func TestScreen_States_ReadAsTheirGoldenFiles(t *testing.T) {
	asking := holding()
	long := holding()
	long.Stages = nil
	for i := range 14 {
		state := "ahead"
		if i < 6 {
			state = "passed"
		}
		long.Stages = append(long.Stages, control.RungStatus{Index: i + 1, Label: fmt.Sprintf("%d %%", i*7+2), State: state})
	}
	long.Stage.Index, long.Stage.Count = 7, 14
	silent := named("checkout", gate.Waiting, 0)
	for _, c := range []struct {
		name   string
		screen *screen
	}{
		{"80x24", withPast(first(screenOf(holding(), 80, 24)))},
		{"120x40", withPast(first(screenOf(holding(), 120, 40)))},
		{"44x14", withPast(first(screenOf(holding(), 44, 14)))},
		{"long-ladder", first(screenOf(long, 80, 24))},
		{"nothing-yet", first(screenOf(silent, 80, 12))},
		{"stale", func() *screen { s := first(screenOf(holding(), 80, 24)); s.now = s.now.Add(12 * time.Second); return s }()},
		{"confirm", func() *screen { s := first(screenOf(asking, 80, 24)); press(s, "b", "b", "a", "d"); return s }()},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := drawn(c.screen)
			for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
				if w := ansi.StringWidth(line); w > c.screen.width {
					t.Errorf("line %d is %d wide, the screen %d: %q", i+1, w, c.screen.width, line)
				}
			}
			if n := strings.Count(got, "\n"); n != c.screen.height {
				t.Errorf("%d lines on a screen of %d", n, c.screen.height)
			}
			file := filepath.Join("testdata", "screen", c.name+".txt")
			if *update {
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}

func first(s *screen, _ *askedOf) *screen { return s }

func TestScreen_AnySize_NeverOverflows(t *testing.T) {
	for height := 1; height < 60; height += 7 {
		for width := leastWidth; width < 200; width += 13 {
			s := withPast(first(screenOf(holding(), width, height)))
			lines := s.lines()
			if len(lines) > height {
				t.Errorf("%d lines on %dx%d", len(lines), width, height)
			}
			for _, l := range lines {
				if ansi.StringWidth(l) > width {
					t.Errorf("%dx%d: %q", width, height, ansi.Strip(l))
				}
			}
		}
	}
}

func TestScreen_Rollback_WantsAReasonAndThenActsOnTheVersionSeen(t *testing.T) {
	s, ask := screenOf(holding(), 80, 24)
	if cmd := press(s, "b", "enter"); cmd != nil || s.dialog == nil {
		t.Fatal("a rollback without a reason was taken")
	}
	cmd := press(s, "b", "a", "d", "d", "backspace", "enter")
	if cmd == nil || s.dialog != nil {
		t.Fatal("nothing was done")
	}
	s.Update(cmd())
	if !slices.Equal(ask.verbs, []string{"checkout rollback"}) || ask.acts[0].Reason != "bad" || ask.acts[0].Actor != "ann" || *ask.acts[0].IfVersion != 9 {
		t.Errorf("asked %v %+v", ask.verbs, ask.acts)
	}
	if !strings.Contains(drawn(s), "Done to checkout.") {
		t.Errorf("what came of it is not shown:\n%s", drawn(s))
	}
}

func TestScreen_Escape_DoesNothing(t *testing.T) {
	s, ask := screenOf(holding(), 80, 24)
	press(s, "p", "esc")
	if s.dialog != nil || len(ask.verbs) != 0 || !strings.Contains(drawn(s), "Nothing was done.") {
		t.Errorf("asked %v\n%s", ask.verbs, drawn(s))
	}
}

func TestScreen_VerbThatDoesNotApply_SaysSo(t *testing.T) {
	s, ask := screenOf(holding(), 80, 24)
	press(s, "a")
	if s.dialog != nil || len(ask.verbs) != 0 || !strings.Contains(drawn(s), "There is nothing to approve") {
		t.Errorf("\n%s", drawn(s))
	}
}

func TestScreen_Refused_SaysWhy(t *testing.T) {
	s, ask := screenOf(holding(), 80, 24)
	ask.fails = errors.New("the rollout is at version 10, not 9")
	s.Update(press(s, "p", "enter")())
	if !strings.Contains(drawn(s), "Refused: the rollout is at version 10, not 9") {
		t.Errorf("\n%s", drawn(s))
	}
}

func TestScreen_TextOfOthers_CannotDriveTheTerminal(t *testing.T) {
	s, _ := screenOf(holding(), 80, 24)
	s.rollout.Sentence = "a\x1b[2Jb\x07"
	s.decisions = []admin.DecisionView{{Sentence: "c\x1b]0;title\x07d"}}
	if all := strings.Join(s.lines(), "\n"); strings.Contains(all, "\x1b[2J") || strings.Contains(all, "\x1b]0") || strings.Contains(all, "\x07") {
		t.Errorf("%q", all)
	}
}

func TestScreen_LongDecision_IsWholeInTheLog(t *testing.T) {
	s, _ := screenOf(holding(), 80, 40)
	sentence := strings.Repeat("every word of a decision is told, 0.34 % of them at least; ", 6) + "the end"
	s.decisions = []admin.DecisionView{{At: screenClock, Sentence: sentence}}
	all := drawn(s)
	got := strings.Join(strings.Fields(all[strings.Index(all, "\nlog\n"):]), " ")
	if !strings.Contains(got, strings.TrimSpace(sentence)) {
		t.Errorf("the sentence is cut:\n%s", all)
	}
	if strings.Contains(all, "\n          % ") {
		t.Errorf("a percent sign stands alone:\n%s", all)
	}
}

func TestScreen_NewVersion_AsksForItsDecisionsOnce(t *testing.T) {
	s, _ := screenOf(holding(), 80, 24)
	if _, cmd := s.Update(rolloutMsg(s.rollout)); cmd == nil {
		t.Error("a version not seen before asks for no decisions")
	}
	if _, cmd := s.Update(rolloutMsg(s.rollout)); cmd != nil {
		t.Error("the same version asks again")
	}
}

// TestScreen_RolloutEnds_LeavesItsLastWordAndExitCode runs the whole program against an admin server, without a terminal.
func TestScreen_RolloutEnds_LeavesItsLastWordAndExitCode(t *testing.T) {
	going := holding()
	loop := &fakeLoop{rollouts: []control.RolloutStatus{going}}
	c, err := admin.NewClient(daemonOf(t, loop))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out bytes.Buffer
	e := &env{stdout: &out, stderr: io.Discard, getenv: func(string) string { return "" }}
	in, keys := io.Pipe()
	defer keys.Close()
	done := make(chan error, 1)
	go func() {
		done <- e.live(context.Background(), c, admin.RolloutOf(&going), in, tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"NO_COLOR=1", "TERM=xterm"}))
	}()
	loop.mu.Lock()
	loop.rollouts[0].Phase, loop.rollouts[0].Weight, loop.rollouts[0].Sentence = gate.RolledBack, 0, "Rolled back from 5 % to 0 %."
	loop.mu.Unlock()
	if code := e.report(<-done); code != exitRolledBack {
		t.Errorf("exit %d", code)
	}
	if !strings.HasSuffix(strings.TrimSpace(out.String()), "Rolled back from 5 % to 0 %.") {
		t.Errorf("the last word is missing: %q", out.String()[max(0, out.Len()-300):])
	}
}

func TestSpark_Gaps_AreNoZeros(t *testing.T) {
	half, full := .5, 1.0
	if got := spark([]*float64{nil, &half, nil, &full}, 6, 1); got != " ▅ █" {
		t.Errorf("%q", got)
	}
}
