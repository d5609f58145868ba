package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"serin/config"
	"serin/proxy/admin"
)

var errDraining = errors.New("serin is draining: nothing is put in force any more")

// Reload puts the file in force, or refuses it whole. Reloads are done one after the other. An address that is new is
// opened before anything changes; once the loop has the plan nothing can fail any more.
func (d *serinDaemon) Reload(ctx context.Context) (admin.Reload, error) {
	d.reloadMu.Lock()
	defer d.reloadMu.Unlock()
	if d.draining.Load() {
		return admin.Reload{}, errDraining
	}
	since := time.Now()
	plan, problems := d.source.load()
	if plan == nil {
		return d.refuse(&admin.InvalidError{Problems: problems})
	}
	if d.unguarded(plan) {
		return d.refuse(&admin.InvalidError{Problems: []config.Problem{{
			File: plan.File, Key: "token", Text: "no token is left, but until a restart the admin listener is still on " + d.started.Admin.Address,
			Hint: "restart serin, or keep a token until then",
		}}})
	}
	change, err := d.fronts.prepare(ctx, plan.Listen)
	if err != nil {
		return d.refuse(&admin.InvalidError{Problems: []config.Problem{{File: plan.File, Key: "listen.address", Text: err.Error()}}})
	}
	before := d.planInForce()
	d.notices.Set(sinksWith(plan, before))
	// A caller that leaves must not leave half of a plan in force.
	if err := d.loop.Reload(context.WithoutCancel(ctx), plan); err != nil {
		change.undo()
		d.notices.Set(before.Sinks)
		return d.refuse(fmt.Errorf("put the configuration in force: %w", err))
	}
	d.fronts.apply(change)
	d.notices.Set(plan.Sinks)
	d.beside.Follow(plan.Files, since)
	d.prober.Follow(probesOf(plan))
	d.setLevel(plan.Log)
	d.limitMemory(plan.Memory)
	warnings := append(plan.Warnings, needsRestart(d.started, plan)...)
	d.mu.Lock()
	d.inForce = plan
	d.reloads.Good++
	d.reloads.LastGood, d.reloads.LastGoodSuccess, d.reloads.Problems = true, time.Now(), nil
	d.mu.Unlock()
	d.log.Info("configuration in force", "file", plan.File, "hash", plan.Hash)
	for _, w := range warnings {
		d.log.Warn("configuration", "file", w.File, "line", w.Line, "key", w.Key, "problem", w.Text, "hint", w.Hint)
	}
	return admin.Reload{Status: "in_force", File: plan.File, Warnings: warnings}, nil
}

// refuse counts a reload that changed nothing.
func (d *serinDaemon) refuse(err error) (admin.Reload, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reloads.Bad++
	d.reloads.LastGood, d.reloads.Problems = false, []config.Problem{{Text: err.Error()}}
	var invalid *admin.InvalidError
	if errors.As(err, &invalid) {
		d.reloads.Problems = invalid.Problems
	}
	return admin.Reload{}, err
}

func (d *serinDaemon) planInForce() *config.Plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inForce
}

func (d *serinDaemon) setLevel(c config.Log) {
	if d.level != nil {
		d.level.Set(levelOf(c))
	}
}

// levelOf is the configured level; config has checked the word.
func levelOf(c config.Log) slog.Level {
	level := slog.LevelInfo
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// needsRestart names what a reload cannot change in a process that was started with was: what is opened once.
func needsRestart(was, is *config.Plan) []config.Problem {
	var out []config.Problem
	say := func(key string) {
		out = append(out, config.Problem{File: is.File, Key: key, Text: "the change takes effect after a restart", Hint: "restart serin to apply it"})
	}
	if !sameAdmin(was.Admin, is.Admin) {
		say("admin")
	}
	if was.StateDir != is.StateDir {
		say("state.dir")
	}
	if was.Log.Format != is.Log.Format {
		say("log.format")
	}
	if !sameAccess(was.Log.Access, is.Log.Access) {
		say("log.access")
	}
	return out
}

func sameAccess(a, b *config.AccessLog) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
