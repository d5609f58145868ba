package admin

import (
	"errors"
	"strings"
	"testing"
)

// tallying is a counter of signals that keeps what it is given.
type tallying struct {
	got []SignalEvent
	err error
}

func (k *tallying) Record(events []SignalEvent) (SignalCounts, error) {
	if k.err != nil {
		return SignalCounts{}, k.err
	}
	k.got = append(k.got, events...)
	return SignalCounts{Accepted: len(events)}, nil
}

func (k *tallying) Totals(string) ([]Signal, uint64) {
	return []Signal{{Name: "done", Judged: true, Stable: SignalArmOf(4, 2), Canary: SignalArmOf(0, 0)}}, 3
}

func TestSignals_Post_IsCountedOrRefusedWhole(t *testing.T) {
	o, _ := rooms()
	k := &tallying{}
	o.Signals = k
	h := New(o).Handler()
	w := ask(h, "POST", "/v1/signals", `[{"key":"ann","name":"done"},{"key":"bob","name":"done","value":0.5,"at":"2026-11-20T12:00:00Z","rollout":"checkout"}]`)
	if w.Code != 202 || w.Body.String() != `{"accepted":2,"late":0,"unattributed":0,"dropped":0}`+"\n" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if first, second := k.got[0].Event(), k.got[1].Event(); first.Value != 1 || second.Value != .5 || second.At.IsZero() {
		t.Errorf("got %+v %+v", first, second)
	}
	for body, want := range map[string]string{
		`[{"kee":"ann"}]`: "did you mean",
		`{"key":"ann"}`:   "a JSON object, not an array",
		`[{"key":7}]`:     "does not fit",
		`[` + strings.Repeat(`{"key":"a","name":"n"},`, maxEvents) + `{"key":"a","name":"n"}]`: "more than 1000 events",
	} {
		if w := ask(h, "POST", "/v1/signals", body); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
	}
	k.err = errors.New("event 0: no")
	if w := ask(h, "POST", "/v1/signals", `[{"key":"ann","name":"done"}]`); w.Code != 400 || !strings.Contains(w.Body.String(), "event 0: no") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestSignals_Status_HasTheSums(t *testing.T) {
	o, _ := rooms()
	o.Signals = &tallying{}
	body := ask(New(o).Handler(), "GET", "/v1/rollouts/checkout", "").Body.String()
	if !strings.Contains(body, `"signals":[{"name":"done","judged":true,"stable":{"count":4,"sum":2,"mean":0.5},"canary":{"count":0,"sum":0,"mean":null}}],"signals_late":3`) {
		t.Errorf("%s", body)
	}
}
