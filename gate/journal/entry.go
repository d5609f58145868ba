package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"time"

	"serin/gate"
	"serin/router"
)

// Entry is one journalled decision.
type Entry struct {
	Seq      uint64        `json:"seq"` // of the journal, without gaps; set by Append
	ID       string        `json:"id"`  // rollout-attempt-number
	Number   int           `json:"number"`
	Rollout  string        `json:"rollout"`
	At       time.Time     `json:"at"` // wall time, for people
	Sentence string        `json:"sentence"`
	Decision gate.Decision `json:"decision"`
	State    gate.State    `json:"state"`             // after the decision
	Attempt  *Attempt      `json:"attempt,omitempty"` // what the attempt cost that this decision ended; nil: it ended none
}

// head is the short beginning of a line. It is read again only when the rest of the last line is missing.
type head struct {
	Schema  int           `json:"v"`
	Seq     uint64        `json:"seq"`
	Rollout string        `json:"rollout"`
	To      router.Weight `json:"to"`
	CRC     string        `json:"crc"` // CRC-32C of entry, eight hexadecimal digits
}

type line struct {
	head
	Entry json.RawMessage `json:"entry"`
}

// ErrFuture says that bytes were written by a newer serin.
var ErrFuture = errors.New("written by a newer version of serin")

// entryMark parts a line's head from its entry. Inside JSON strings the quotes would be escaped.
var entryMark = []byte(`,"entry":`)

var errCRC = errors.New("checksum differs")

// EncodeEntry writes e as one line, newline included. Findings' numbers that JSON cannot hold are replaced.
func EncodeEntry(e Entry) ([]byte, error) {
	e.Decision.Findings = finiteFindings(e.Decision.Findings)
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	first, err := json.Marshal(head{Schema: schema, Seq: e.Seq, Rollout: e.Rollout, To: e.Decision.To, CRC: checksum(body)})
	if err != nil {
		return nil, err
	}
	out := append(first[:len(first)-1], entryMark...)
	out = append(out, body...)
	return append(out, '}', '\n'), nil
}

// DecodeEntry reads one line, with or without its newline.
func DecodeEntry(b []byte) (Entry, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return Entry{}, fmt.Errorf("read decision: %w", err)
	}
	if l.Schema > schema {
		return Entry{}, fmt.Errorf("read decision of schema %d: %w", l.Schema, ErrFuture)
	}
	if l.Schema < 1 {
		return Entry{}, fmt.Errorf("read decision: no schema version")
	}
	if l.CRC != checksum(l.Entry) {
		return Entry{}, fmt.Errorf("read decision %d: %w", l.Seq, errCRC)
	}
	var e Entry
	if err := json.Unmarshal(l.Entry, &e); err != nil {
		return Entry{}, fmt.Errorf("read decision %d: %w", l.Seq, err)
	}
	if e.Seq != l.Seq || e.Rollout != l.Rollout || e.Decision.To != l.To || e.Rollout == "" {
		return Entry{}, fmt.Errorf("read decision %d: head and entry differ", l.Seq)
	}
	if err := plausible(e.State); err != nil {
		return Entry{}, fmt.Errorf("read decision %d: %w", l.Seq, err)
	}
	return e, nil
}

// tornHead reads the head of a line whose end is missing.
func tornHead(b []byte) (head, bool) {
	before, _, ok := bytes.Cut(b, entryMark)
	if !ok {
		return head{}, false
	}
	var h head
	whole := append(append([]byte(nil), before...), '}')
	if err := json.Unmarshal(whole, &h); err != nil || h.Schema != schema {
		return head{}, false
	}
	return h, true
}

// plausible refuses what no decision can have left behind.
func plausible(s gate.State) error {
	if s.Weight > router.Full || s.Stage < 0 || s.Attempt < 0 || s.Clock < 0 || s.Age < 0 {
		return errors.New("implausible state")
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) string {
	sum := strconv.FormatUint(uint64(crc32.Checksum(b, castagnoli)), 16)
	return "00000000"[len(sum):] + sum
}

// finiteFindings copies findings, with every number JSON has no word for replaced.
func finiteFindings(findings []gate.Finding) []gate.Finding {
	out := make([]gate.Finding, len(findings))
	for i, f := range findings {
		for _, v := range []*float64{
			&f.Stable, &f.Canary, &f.Difference, &f.DifferenceLow, &f.DifferenceHigh, &f.HoldLimit, &f.PassLimit,
			&f.PassOdds, &f.PassNeeds, &f.FailOdds,
		} {
			*v = finite(*v)
		}
		f.RollbackLimit, f.FailNeeds = finitePointer(f.RollbackLimit), finitePointer(f.FailNeeds)
		f.ExpectedSeconds = finitePointer(f.ExpectedSeconds)
		out[i] = f
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// greatest is where a finding's numbers end: odds beyond it mean "beyond doubt" all the same.
const greatest = 1e12

func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case v > greatest:
		return greatest
	case v < -greatest:
		return -greatest
	}
	return v
}

// finitePointer makes an unknown or endless number null.
func finitePointer(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}
