package control

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"serin/gate"
	"serin/gate/journal"
)

func TestTell_WhatAPersonShouldLookAt_IsAWarning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		d     gate.Decision
		level string
	}{
		{"advance", gate.Decision{Action: gate.ActAdvance, From: 100, To: 500, Phase: gate.Progressing}, "INFO"},
		{"a hold that only waits", gate.Decision{Action: gate.ActHold, Phase: gate.Progressing, Reason: gate.NoCanaryTraffic}, "INFO"},
		{"confirmed finding", gate.Decision{Action: gate.ActHold, Phase: gate.Holding, Reason: gate.WorseThanStable}, "WARN"},
		{"skewed keys", gate.Decision{Action: gate.ActHold, Phase: gate.Holding, Reason: gate.SkewedKeys}, "WARN"},
		{"rollback", gate.Decision{Action: gate.ActRollback, From: 500, Phase: gate.RolledBack}, "WARN"},
		{"freeze", gate.Decision{Action: gate.ActFreeze, Phase: gate.Holding}, "WARN"},
	} {
		var out bytes.Buffer
		l := &Loop{log: slog.New(slog.NewTextHandler(&out, nil))}
		l.tell(&journal.Entry{Decision: tt.d})
		if !strings.Contains(out.String(), "level="+tt.level) {
			t.Errorf("%s: got %q, want %s", tt.name, out.String(), tt.level)
		}
	}
}
