package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"serin/gate"
	"serin/proxy/admin"
)

// teller tells the demo's story in the terminal: one line every two seconds and one for every decision, all from the admin
// API, as anybody could read it, and an end from the crowd's own ledger.
type teller struct {
	env      *env
	scenario scenario
	load     *sampleLoad
	client   *admin.Client
	began    time.Time

	last     admin.Rollout // as of the last event
	decision string        // id of the last decision told
	lined    time.Duration // when the last progress line was printed
}

const lineEvery = 2 * time.Second

// errStoryOver ends the event stream.
var errStoryOver = errors.New("the story is over")

func (t *teller) say(format string, args ...any) {
	t.env.print(wrapped(fmt.Sprintf(format, args...), "")...)
}

// sayAt prints the time since the demo began before the text.
func (t *teller) sayAt(at time.Duration, text string) {
	t.env.print(hanging(stopwatch(at)+"  ", text)...)
}

func (t *teller) opening(listen, adminAddress string) {
	t.say("Two versions of a small shop, %s users, %.0f requests a second.", count(demoUsers), t.scenario.rate)
	t.say("%s", t.scenario.tells)
	t.say("Ladder: 5 %% -> 25 %% -> 100 %%, each stage at least 10 s (in production: 15 min).")
	t.say("proxy http://%s, page http://%s/", listen, adminAddress)
	t.env.print("")
}

// follow reads events until the rollout ends or time is up.
func (t *teller) follow(ctx context.Context) error {
	err := t.client.Events(ctx, "", func(ev admin.Event) error {
		var ro admin.Rollout
		switch ev.Kind {
		case "snapshot":
			var all admin.Rollouts
			if err := json.Unmarshal(ev.Data, &all); err != nil || len(all.Rollouts) == 0 {
				return err
			}
			ro = all.Rollouts[0]
		case "rollout":
			if err := json.Unmarshal(ev.Data, &ro); err != nil {
				return err
			}
		default:
			return nil
		}
		t.tell(ro)
		if ro.Phase == "rolled_back" || ro.Phase == "completed" {
			return errStoryOver
		}
		return nil
	})
	switch {
	case errors.Is(err, errStoryOver), errors.Is(err, context.DeadlineExceeded):
		return t.ending()
	case errors.Is(err, context.Canceled), errors.Is(err, io.ErrUnexpectedEOF):
		if failed := demoEnd(ctx); failed != nil && !errors.Is(failed, context.Canceled) {
			return failed
		}
		t.scenario.ends = "" // whoever leaves early has not seen how it ends
		return t.ending()
	}
	return err
}

// tell prints what is new in a status.
func (t *teller) tell(ro admin.Rollout) {
	before := t.last
	t.last = ro
	at := time.Since(t.began)
	if d := ro.LastDecision; d != nil && d.ID != t.decision {
		t.decision = d.ID
		t.sayAt(at, d.Sentence)
		if d.Action == "rollback" {
			for _, g := range d.Evidence.Gates {
				t.evidence(g)
			}
		}
		t.lined = at
		return
	}
	if at-t.lined >= lineEvery || ro.Phase != before.Phase {
		t.lined = at
		t.sayAt(at, t.progress(ro))
	}
}

// evidence prints what a gate said when it reverted.
func (t *teller) evidence(g admin.Gate) {
	if g.Verdict != gate.Fail || g.FailNeeds == nil {
		return
	}
	t.env.print(wrapped(fmt.Sprintf("gate %s: odds %s that this is worse than allowed, needed %s; %s canary and %s stable requests",
		g.Metric, odds(g.FailOdds), odds(*g.FailNeeds), count(g.Samples.Canary), count(g.Samples.Stable)), "       ")...)
}

// progress is one line of numbers: share, both arms, and the gate that has most to say.
func (t *teller) progress(ro admin.Rollout) string {
	line := percent(ro.Weight) + ": "
	g, ok := telling(ro.Gates)
	if ok && strings.HasPrefix(g.Metric, "latency_") && g.Canary > 0 {
		line += fmt.Sprintf("%s canary %s, stable %s", strings.TrimPrefix(g.Metric, "latency_"), millis(g.Canary), millis(g.Stable))
	} else {
		c, s := ro.Arms.Canary, ro.Arms.Stable
		line += fmt.Sprintf("failed canary %s/%s, stable %s/%s", count(c.Errors), count(c.Requests), count(s.Errors), count(s.Requests))
	}
	if ok {
		line += "; " + progressOdds(g)
	}
	return line
}

// telling is the gate nearest to a rollback if any is well on the way, else the one furthest from its pass.
func telling(gates []admin.Gate) (worst admin.Gate, ok bool) {
	far := math.Inf(1)
	for _, g := range gates {
		if g.FailNeeds != nil && g.FailOdds >= 3 {
			return g, true
		}
		if g.PassNeeds > 0 && g.PassOdds/g.PassNeeds < far {
			worst, ok, far = g, true, g.PassOdds/g.PassNeeds
		}
	}
	return worst, ok
}

func progressOdds(g admin.Gate) string {
	if g.FailNeeds != nil && g.FailOdds >= 3 {
		return fmt.Sprintf("rollback odds %s of %s", odds(g.FailOdds), odds(*g.FailNeeds))
	}
	return fmt.Sprintf("pass odds %s of %s", odds(g.PassOdds), odds(g.PassNeeds))
}

// ending sums up from the crowd's ledger, not from serin's counters.
func (t *teller) ending() error {
	seen := t.load.Ledger()
	ro := t.last
	t.env.print("")
	switch ro.Phase {
	case "rolled_back", "completed":
		t.say("%s after %s.", strings.ToUpper(words(ro.Phase)[:1])+words(ro.Phase)[1:], strings.TrimSpace(stopwatch(time.Since(t.began))))
	default:
		t.say("The story stops here. %s", ro.Sentence)
		t.say("%s", ro.Next)
	}
	t.say("What the crowd saw: %s requests, %s of them answered by v2, %d without a whole answer.",
		count(uint64(seen.Sent)), count(uint64(seen.Canary)), seen.Broken)
	t.say("Users who met v2: %s of %s; who saw an error of v2: %s.",
		count(uint64(seen.usersOnCanary())), count(demoUsers), count(uint64(seen.usersHurt())))
	if bad := t.scenario.canary.ErrorRate; ro.Phase == "rolled_back" && bad > t.scenario.stable.ErrorRate {
		t.say("Had everybody been switched at once, about %s users would have seen one in the same seconds, and more until somebody noticed.",
			count(uint64(seen.usersHurtIfSwitched(bad))))
	}
	if t.scenario.ends != "" && ro.Phase != t.scenario.ends {
		return &exitError{code: exitFailure, err: fmt.Errorf("this story should have ended %s", words(t.scenario.ends))}
	}
	return nil
}

// stopwatch prints the time since the demo began.
func stopwatch(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%2d:%02d", s/60, s%60)
}
