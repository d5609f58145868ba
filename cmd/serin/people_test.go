package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
	"serin/gate/experiment"
	"serin/gate/journal"
	"serin/gate/notify"
	"serin/proxy/admin"
)

func TestEventOf_EveryDecision_HasAWordOrIsSmallTalk(t *testing.T) {
	known := notify.Events()
	for a := gate.Action(0); a.String() != "unknown"; a++ {
		d := gate.Decision{Action: a, Phase: gate.Holding}
		event, ok := eventOf(&d)
		silent := a == gate.ActRefuse || a == gate.ActDrill
		if ok == silent || ok && !slices.Contains(known, event) {
			t.Errorf("%s: %q, %v", a, event, ok)
		}
	}
	for name, d := range map[string]gate.Decision{
		"evidence that is missing": {Action: gate.ActHold, Phase: gate.Progressing, Reason: gate.NotEnoughEvidence},
		"a pool that is not up":    {Action: gate.ActHold, Phase: gate.Waiting, Reason: gate.CanaryPoolUnhealthy},
	} {
		if event, ok := eventOf(&d); ok {
			t.Errorf("%s is told as %s", name, event)
		}
	}
	done := gate.Decision{Action: gate.ActPromote, Phase: gate.Completed}
	if event, _ := eventOf(&done); event != notify.EventComplete {
		t.Errorf("a promotion to the end is told as %s", event)
	}
}

// asked is an announcement of a stage that waits for product.
func asked() *control.Announcement {
	until := time.Now().Add(time.Hour)
	return &control.Announcement{
		Entry: journal.Entry{
			ID: "checkout-1-4", Rollout: "checkout", Sentence: "Waiting for product to approve 100 %.",
			Decision: gate.Decision{Action: gate.ActAwait, From: 500, To: 500, Phase: gate.AwaitingApproval, Stage: 1, Stages: 2, Actor: gate.ActorGate},
			State:    gate.State{Revision: "r2", Attempt: 1, Version: 4},
		},
		Policy:   &gate.Policy{Stages: []gate.Stage{{Label: "5 %"}, {Label: "100 %", Owner: "product"}}},
		Deadline: &control.DeadlineStatus{Until: until, Then: "hold", Owner: "product", Stage: 2},
		Allowed:  []string{"pause", "rollback", "approve"},
	}
}

func TestNoticeOf_Approval_HasCommandsAndLinksThatEndWithTheWait(t *testing.T) {
	links, err := admin.OpenLinks(t.TempDir(), "https://serin.example")
	if err != nil {
		t.Fatal(err)
	}
	n, ok := noticeOf(asked(), links)
	if !ok || n.State != notify.Open || n.Owner != "product" || n.Stage.Label != "5 %" || n.Awaits != "100 %" || n.Then != "hold" {
		t.Errorf("got %+v", n)
	}
	want := []string{"serin why checkout", "serin approve checkout --if-version 4", "serin rollback checkout --if-version 4", "serin ack checkout"}
	if !slices.Equal(n.Commands, want) {
		t.Errorf("commands %q", n.Commands)
	}
	if len(n.Links) != 3 || n.Links[0].Verb != "approve" || n.Links[1].Verb != "rollback" || n.Links[2].URL != "https://serin.example/" {
		t.Fatalf("links %+v", n.Links)
	}
	if left := n.Links[0].Expires.Sub(*n.Until); left < -time.Second || left > 2*time.Second {
		t.Errorf("the approval's link ends %v after the wait", left)
	}
	g, err := links.Check(strings.TrimPrefix(n.Links[0].URL, "https://serin.example/links/"), time.Now())
	if err != nil || g.Owner != "product" || g.Version != 4 {
		t.Errorf("the link grants %+v, %v", g, err)
	}
	if n, _ := noticeOf(asked(), nil); len(n.Links) != 0 {
		t.Errorf("links without a page: %+v", n.Links)
	}
}

func TestNoticeOf_WhatAPersonDid_WaitsForNobody(t *testing.T) {
	a := asked()
	a.Entry.Decision = gate.Decision{Action: gate.ActRollback, From: 500, Phase: gate.RolledBack, Actor: "alice"}
	if n, _ := noticeOf(a, nil); n.State != notify.Done || n.Severity != notify.Warning {
		t.Errorf("alice's rollback: %s, %s", n.State, n.Severity)
	}
	a.Entry.Decision.Actor = gate.ActorGate
	if n, _ := noticeOf(a, nil); n.State != notify.Open || n.Severity != notify.Critical {
		t.Errorf("the gates' rollback: %s, %s", n.State, n.Severity)
	}
	a.Entry.Decision.DryRun = true
	if n, _ := noticeOf(a, nil); n.State != notify.Done || n.Severity != notify.Info || len(n.Commands) != 1 {
		t.Errorf("a rehearsed one: %+v", n)
	}
}

func TestNoticeOf_AnExperimentsArmIsStopped_NamesArmAndControl_AndWaitsForNobody(t *testing.T) {
	a := &control.Announcement{
		Entry: journal.Entry{ID: "button-1-2", Rollout: "button", Decision: gate.Decision{
			Action: gate.ActStopArm, Arm: "red", From: 5000, To: 2500, Phase: gate.RolledBack, Actor: gate.ActorGate, Stage: 1, Stages: 1,
		}},
		Experiment: &experiment.Policy{Arms: []experiment.Arm{{Name: "blue"}, {Name: "red"}}, Notify: []string{"ops"}},
	}
	n, ok := noticeOf(a, nil)
	if !ok || n.State != notify.Done || n.Event != notify.EventRollback || n.Severity != notify.Critical || n.Control != "blue" || n.Arm != "red" {
		t.Errorf("got %+v", n)
	}
	if !slices.Equal(n.Commands, []string{"serin status button"}) || !slices.Equal(a.Notify(), []string{"ops"}) {
		t.Errorf("commands %q to %q", n.Commands, a.Notify())
	}
}

func TestLinkBase_IsWhereABrowserGetsTo(t *testing.T) {
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 9180} }
	for _, tt := range []struct {
		name string
		a    config.Admin
		addr net.Addr
		want string
	}{
		{"public url", config.Admin{PublicURL: "https://serin.example"}, at("127.0.0.1"), "https://serin.example"},
		{"loopback", config.Admin{}, at("127.0.0.1"), "http://127.0.0.1:9180"},
		{"every address", config.Admin{}, at("0.0.0.0"), ""},
		{"unix socket", config.Admin{}, &net.UnixAddr{Name: "/run/s"}, ""},
	} {
		if got := linkBase(tt.a, tt.addr); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestToken_Sources_HaveTheirOrder(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("from-"+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flagged, fromEnv := file("flag"), file("env")
	for _, tt := range []struct {
		name string
		t    target
		vars map[string]string
		want string
	}{
		{"none", target{}, nil, ""},
		{"the flag first", target{token: "t", tokenFile: flagged}, map[string]string{"SERIN_TOKEN": "v"}, "t"},
		{"then its file", target{tokenFile: flagged}, map[string]string{"SERIN_TOKEN": "v", "SERIN_TOKEN_FILE": fromEnv}, "from-flag"},
		{"then the variable", target{}, map[string]string{"SERIN_TOKEN": "v", "SERIN_TOKEN_FILE": fromEnv}, "v"},
		{"then the variable's file", target{}, map[string]string{"SERIN_TOKEN_FILE": fromEnv}, "from-env"},
	} {
		tt.t.env = &env{stderr: io.Discard, getenv: func(name string) string { return tt.vars[name] }}
		if got, err := tt.t.tokenOf(); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	missing := target{tokenFile: filepath.Join(dir, "nowhere"), env: &env{getenv: func(string) string { return "" }}}
	if _, err := missing.tokenOf(); err == nil {
		t.Error("a file that is not there is no error")
	}
}

func TestSinks_WhileReloading_AreOldAndNew(t *testing.T) {
	old := &config.Plan{Sinks: []notify.Spec{{Name: "a"}, {Name: "b", Kind: "slack"}}}
	next := &config.Plan{Sinks: []notify.Spec{{Name: "b", Kind: "teams"}, {Name: "c"}}}
	var got []string
	for _, s := range sinksWith(next, old) {
		got = append(got, s.Name+s.Kind)
	}
	if !slices.Equal(got, []string{"bteams", "c", "a"}) {
		t.Errorf("got %v", got)
	}
}

func TestStatus_OverrideAndAlert_AreSaid(t *testing.T) {
	ro := admin.Rollout{
		Name: "checkout", Phase: "progressing", Alert: &admin.Alert{Event: "hold"},
		LastDecision: &admin.DecisionView{Action: "approve", Actor: "root", Evidence: admin.Evidence{Override: true, TakenFrom: "product", Note: "asleep"}},
	}
	text := strings.Join(statusText(ro), "\n")
	for _, want := range []string{"override: approve by root in place of product: asleep", "serin ack checkout"} {
		if !strings.Contains(strings.ReplaceAll(text, "\n  ", " "), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	head := decisionText(*ro.LastDecision, time.Now())[0]
	if !strings.Contains(head, "override") {
		t.Errorf("log says %q", head)
	}
}

func TestCatchUp_DecisionOfAKilledProcess_IsToldOnce(t *testing.T) {
	policy := asked().Policy
	policy.Notify = []string{"ops"}
	plan := &config.Plan{Rollouts: []config.Rollout{{Name: "checkout", Policy: policy}}}
	last := asked().Entry
	restored := &journal.Restored{Rollouts: map[string]journal.Record{"checkout": {Last: &last}}}
	waiting := func(age time.Duration, times int) int {
		d := &serinDaemon{notices: notify.New(notify.Options{})}
		d.notices.Set([]notify.Spec{{Name: "ops", Kind: "webhook", Events: []string{notify.EventApproval}}})
		last.At = time.Now().Add(-age)
		for range times {
			d.catchUp(plan, restored)
		}
		return d.notices.Sinks()[0].Waiting
	}
	if n := waiting(time.Second, 2); n != 1 {
		t.Errorf("%d notices wait", n)
	}
	if n := waiting(time.Hour, 1); n != 0 {
		t.Errorf("a decision of an hour ago is told")
	}
}
