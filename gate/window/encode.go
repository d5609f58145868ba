package window

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// wire is a Snapshot's JSON. Histograms and buckets are mostly zero: they travel as base64 of pairs (zeros skipped, count),
// both uvarint.
type wire struct {
	Outcomes []uint64 `json:"outcomes"`
	Masked   []uint64 `json:"masked,omitempty"`
	Latency  []byte   `json:"latency,omitempty"`
	Aborts   []byte   `json:"aborts,omitempty"`
	Seconds  float64  `json:"seconds,omitempty"`
	Users    [][]byte `json:"users,omitempty"` // by Kind; null: not kept
}

// MarshalJSON writes s compactly: a busy stage with 10,000 users is about 60 KB.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	w := wire{Outcomes: s.Outcomes[:], Seconds: s.Seconds, Latency: sparse(s.Latency[:]), Aborts: sparse(s.Aborts[:])}
	if s.Masked != [Outcomes]uint64{} {
		w.Masked = s.Masked[:]
	}
	if s.Users != nil {
		w.Users = make([][]byte, Kinds)
		for k, counts := range s.Users {
			if counts != nil {
				w.Users[k] = sparse(counts)
			}
		}
	}
	return json.Marshal(&w)
}

// UnmarshalJSON replaces *s. Malformed input is an error and changes nothing. Outcomes and kinds that a later version may
// add to the end read as zero when missing, and are an error when there.
func (s *Snapshot) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	out, err := w.snapshot()
	if err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	*s = *out
	return nil
}

func (w *wire) snapshot() (*Snapshot, error) {
	s := &Snapshot{Seconds: w.Seconds}
	if len(w.Outcomes) > len(s.Outcomes) || len(w.Masked) > len(s.Masked) || len(w.Users) > int(Kinds) {
		return nil, errors.New("written by a later version")
	}
	copy(s.Outcomes[:], w.Outcomes)
	copy(s.Masked[:], w.Masked)
	if err := unsparse(s.Latency[:], w.Latency); err != nil {
		return nil, fmt.Errorf("latency: %w", err)
	}
	if err := unsparse(s.Aborts[:], w.Aborts); err != nil {
		return nil, fmt.Errorf("aborts: %w", err)
	}
	if w.Users == nil {
		return s, nil
	}
	s.Users = new(Users)
	for k, b := range w.Users {
		if b == nil {
			continue
		}
		s.Users[k] = make([]uint32, Buckets)
		if err := unsparse(s.Users[k], b); err != nil {
			return nil, fmt.Errorf("users of kind %d: %w", k, err)
		}
	}
	return s, nil
}

func sparse(counts []uint32) []byte {
	out, zeros := []byte{}, uint64(0)
	for _, c := range counts {
		if c == 0 {
			zeros++
			continue
		}
		out = binary.AppendUvarint(out, zeros)
		out = binary.AppendUvarint(out, uint64(c))
		zeros = 0
	}
	return out
}

func unsparse(counts []uint32, b []byte) error {
	for at := uint64(0); len(b) > 0; at++ {
		zeros, n := binary.Uvarint(b)
		if n <= 0 {
			return errors.New("broken number")
		}
		b = b[n:]
		count, n := binary.Uvarint(b)
		if n <= 0 || count > math.MaxUint32 {
			return errors.New("broken count")
		}
		b = b[n:]
		if zeros >= uint64(len(counts)) || at+zeros >= uint64(len(counts)) {
			return errors.New("more counts than there are places")
		}
		at += zeros
		counts[at] = uint32(count)
	}
	return nil
}
