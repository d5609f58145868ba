package journal

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"serin/gate"
	"serin/gate/window"
)

// Saved is the content of state.json.
type Saved struct {
	Seq      uint64            `json:"seq"`              // of the last line written before; set by Save
	At       time.Time         `json:"at"`               // wall time, for people; set by Save
	Freeze   *gate.Freeze      `json:"freeze,omitempty"` // everything is paused; nil: it is not
	Rollouts map[string]Record `json:"rollouts"`         // the last field: encode relies on it
}

// Record is everything one rollout must remember. Its zero value is a rollout nobody has seen.
type Record struct {
	State    gate.State    `json:"state"`
	Number   int           `json:"number"`         // of the attempt's last decision
	Last     *Entry        `json:"last,omitempty"` // the last journalled decision
	Evidence *Evidence     `json:"evidence,omitempty"`
	Mask     *window.Mask  `json:"mask,omitempty"` // frozen when the attempt began
	Before   window.Counts `json:"before"`         // stable before the attempt began
	Exposure Exposure      `json:"exposure"`
	Rings    []Ring        `json:"rings,omitempty"`
	// Broken is why the record cannot be trusted; empty when it can.
	Broken string `json:"broken,omitempty"`

	sealed []byte // its JSON; nil: not made yet
}

// Seal makes the record's JSON once, for a rollout that will be saved many times before it changes. What is changed in it
// afterwards is not saved.
func (r Record) Seal() (Record, error) {
	b, err := r.encode()
	if err != nil {
		return r, err
	}
	return Record{sealed: b}, nil
}

func (r Record) encode() ([]byte, error) {
	if r.sealed != nil {
		return r.sealed, nil
	}
	if r.Last != nil {
		last := *r.Last
		last.Decision.Findings = finiteFindings(last.Decision.Findings)
		r.Last = &last
	}
	return json.Marshal(r)
}

// Evidence is what both arms did since the step began.
type Evidence struct {
	Step    uint64               `json:"step"`    // gate.State.Step
	Tracker json.RawMessage      `json:"tracker"` // of window.Tracker
	Stable  *window.Snapshot     `json:"stable"`
	Canary  *window.Snapshot     `json:"canary"`
	Members *window.Snapshot     `json:"members,omitempty"` // of rings on the canary where they are no evidence; nil: none
	Mirror  *Evidence            `json:"mirror,omitempty"`  // comparisons of mirrored answers; nil: none
	Signals map[string]*Evidence `json:"signals,omitempty"` // business signals, by name
	Arms    []*window.Snapshot   `json:"arms,omitempty"`    // an experiment's, after its control and its first arm
}

// Exposure is what the canary has cost in this attempt, the current step left out.
type Exposure struct {
	Requests    uint64       `json:"requests"`
	Failed      uint64       `json:"failed"`
	Share       int          `json:"share"` // most buckets the canary ever had
	Users       *window.Mask `json:"users,omitempty"`
	UsersFailed *window.Mask `json:"users_failed,omitempty"`
	Shares      []ShareTime  `json:"shares,omitempty"`
}

type stateFile struct {
	Schema int             `json:"v"`
	CRC    string          `json:"crc"` // CRC-32C of state
	State  json.RawMessage `json:"state"`
}

// EncodeState writes s as the content of a state file.
func EncodeState(s Saved) ([]byte, error) {
	body, err := s.encode()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(body)+48)
	out = append(out, `{"v":`...)
	out = strconv.AppendInt(out, schema, 10)
	out = append(out, `,"crc":"`...)
	out = append(out, checksum(body)...)
	out = append(out, `","state":`...)
	out = append(out, body...)
	return append(out, '}', '\n'), nil
}

// encode is s as JSON, the rollouts in the order of their names. Record by record, because sealed ones need no second look.
func (s *Saved) encode() ([]byte, error) {
	frame, err := json.Marshal(Saved{Seq: s.Seq, At: s.At, Freeze: s.Freeze, Rollouts: map[string]Record{}})
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(s.Rollouts))
	parts, size := make([][]byte, 0, 2*len(names)), len(frame)
	for _, name := range names {
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		record, err := s.Rollouts[name].encode()
		if err != nil {
			return nil, fmt.Errorf("rollout %s: %w", name, err)
		}
		parts = append(parts, key, record)
		size += len(key) + len(record) + len(":,")
	}
	body := append(make([]byte, 0, size), frame[:len(frame)-len("}}")]...)
	for i := 0; i < len(parts); i += 2 {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, parts[i]...), ':'), parts[i+1]...)
	}
	return append(body, "}}"...), nil
}

// DecodeState reads a state file. The error wraps ErrFuture for one of a newer schema; nothing panics.
func DecodeState(b []byte) (Saved, error) {
	if len(b) == 0 {
		return Saved{}, fmt.Errorf("read state: empty")
	}
	var f stateFile
	if err := json.Unmarshal(b, &f); err != nil {
		return Saved{}, fmt.Errorf("read state: %w", err)
	}
	switch {
	case f.Schema > schema:
		return Saved{}, fmt.Errorf("read state of schema %d: %w", f.Schema, ErrFuture)
	case f.Schema < 1:
		return Saved{}, fmt.Errorf("read state: no schema version")
	case f.CRC != checksum(f.State):
		return Saved{}, fmt.Errorf("read state: %w", errCRC)
	}
	var s Saved
	if err := json.Unmarshal(f.State, &s); err != nil {
		return Saved{}, fmt.Errorf("read state: %w", err)
	}
	for name, r := range s.Rollouts {
		if err := r.check(); err != nil {
			return Saved{}, fmt.Errorf("read state of rollout %s: %w", name, err)
		}
	}
	return s, nil
}

func (r Record) check() error {
	if err := plausible(r.State); err != nil {
		return err
	}
	if r.Last != nil {
		if err := plausible(r.Last.State); err != nil {
			return err
		}
	}
	if r.Number < 0 || r.Exposure.Share < 0 || r.Exposure.Share > window.Buckets {
		return fmt.Errorf("implausible record")
	}
	if e := r.Evidence; e != nil && (e.Stable == nil || e.Canary == nil || e.Mirror != nil && (e.Mirror.Stable == nil || e.Mirror.Canary == nil)) {
		return fmt.Errorf("evidence of one arm only")
	}
	for _, ring := range r.Rings {
		if err := ring.check(); err != nil {
			return err
		}
	}
	return nil
}
