package main

import (
	"strings"
	"testing"

	"serin/gate"
	"serin/gate/control"
)

func TestCompletion_EveryPlace_OffersItsWords(t *testing.T) {
	loop := &fakeLoop{rollouts: []control.RolloutStatus{named("checkout", gate.Progressing, .05), named("search", gate.Paused, .05)}}
	address := daemonOf(t, loop)
	nobody := unused(t)
	const noFiles, files = ":4", ":0"
	f := func(admin, line, want string) {
		t.Helper()
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		code, out, _ := serin(map[string]string{"SERIN_ADMIN": admin}, args...)
		if got := strings.ReplaceAll(strings.TrimSpace(out), "\n", " "); code != exitOK || got != want {
			t.Errorf("%s: exit %d, got %q, want %q", line, code, got, want)
		}
	}
	f(address, "status ", "checkout search "+noFiles)
	f(address, "rollback ", "checkout search "+noFiles)
	f(address, "wait checkout ", noFiles)
	f(address, "explain ", noFiles)
	f(nobody, "status ", noFiles)
	f(address, "status -o ", "text json "+noFiles)
	f(address, "watch --output ", "screen text json "+noFiles)
	f(address, "config schema -o ", "json markdown "+noFiles)
	f(address, "wait checkout --for ", "completed terminal "+noFiles)
	f(address, "demo --scenario ", "errors slow good sparse "+noFiles)
	f(address, "rollback checkout --reason ", noFiles)
	f(address, "check -c ", files)
	f(address, "check ", noFiles)
}
