package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"serin/gate"
)

// Restored is what the last process left.
type Restored struct {
	Fresh    bool              // nothing at all: a first start
	Broken   string            // why nothing could be read although files exist: weight 0, nothing starts by itself
	Warnings []string          // what was mended or passed over, for the log
	Rollouts map[string]Record // never nil
	Freeze   *gate.Freeze      // everything is paused; nil: it is not
}

// maxStateBytes bounds what is read of a state file: a thousand rollouts' worth.
const maxStateBytes = 256 << 20

func (r *Restored) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

func (j *Journal) restore() (*Restored, error) {
	r := &Restored{Rollouts: map[string]Record{}}
	saved, state := j.readState(r)
	scan := &scan{restored: r, last: map[string]Entry{}, covered: saved.Seq}
	prev, err := j.scanLines(linesPrevName, scan)
	if err != nil {
		return nil, err
	}
	lines, err := j.scanLines(linesName, scan)
	if err != nil {
		return nil, err
	}
	if err := j.cutTorn(scan, lines); err != nil {
		return nil, err
	}
	j.seq = max(scan.seq, saved.Seq)
	j.tail = scan.tail
	if state == unreadable {
		r.Broken = "no state file in " + j.dir + " can be read"
		for name, e := range scan.last {
			r.Rollouts[name] = Record{State: e.State, Number: e.Number, Last: &e, Broken: r.Broken}
		}
		return r, nil
	}
	r.Freeze = saved.Freeze
	r.Fresh = state == missing && !prev.found && !lines.found
	r.Rollouts = saved.Rollouts
	if r.Rollouts == nil {
		r.Rollouts = map[string]Record{}
	}
	scan.apply()
	return r, nil
}

type condition uint8

const (
	missing condition = iota
	readable
	unreadable
)

// readState is the newest readable generation.
func (j *Journal) readState(r *Restored) (Saved, condition) {
	found := missing
	for _, name := range []string{stateName, statePrevName} {
		block, err := j.readAll(name)
		if isNotExist(err) {
			continue
		}
		var s Saved
		if err == nil {
			s, err = DecodeState(block)
		}
		if err == nil {
			if name == statePrevName && found == unreadable {
				r.warn("using the previous generation of the state, %s", j.path(name))
			}
			return s, readable
		}
		found = unreadable
		if name == stateName {
			j.skipRotate = true
		}
		r.warn("%s: %v", j.path(name), err)
		if err := j.keepUnreadable(name, block); err != nil {
			r.warn("keep a copy of %s: %v", j.path(name), err)
		}
	}
	return Saved{}, found
}

// keepUnreadable copies a state file nobody could read beside it, for a person or a newer serin.
func (j *Journal) keepUnreadable(name string, block []byte) error {
	if len(block) == 0 {
		return nil
	}
	f, err := j.fs.Create(j.path(name + ".unreadable"))
	if err != nil {
		return err
	}
	_, err = f.Write(block)
	return errors.Join(err, f.Close())
}

func (j *Journal) readAll(name string) ([]byte, error) {
	f, err := j.fs.Open(j.path(name))
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err == nil && size > maxStateBytes {
		err = fmt.Errorf("%d bytes are more than a state file has", size)
	}
	var block []byte
	if err == nil {
		block = make([]byte, size)
		_, err = io.ReadFull(io.NewSectionReader(f, 0, size), block)
	}
	return block, errors.Join(err, f.Close())
}

// scan goes through the lines, oldest first, and keeps the last entry of every rollout.
type scan struct {
	restored *Restored
	covered  uint64 // state.json includes the lines up to here
	seq      uint64 // of the last line, damaged ones counted
	lost     uint64 // highest missing or damaged line above covered; 0: none
	last     map[string]Entry
	tail     []Entry
	torn     []byte // the end of the newest file that is no whole line
}

// file is what scanning one file found.
type file struct {
	found bool
	whole int64 // bytes of whole lines
}

func (j *Journal) scanLines(name string, s *scan) (file, error) {
	f, err := j.fs.Open(j.path(name))
	if isNotExist(err) {
		return file{}, nil
	}
	if err != nil {
		return file{}, err
	}
	size, err := f.Size()
	if err != nil {
		return file{}, errors.Join(err, f.Close())
	}
	out := file{found: true}
	s.torn = nil
	lines := newLines(io.NewSectionReader(f, 0, size))
	for {
		line, err := lines.next()
		if err != nil && err != io.EOF {
			return out, errors.Join(err, f.Close())
		}
		if err == io.EOF {
			s.torn = slices.Clone(line)
			break
		}
		out.whole = lines.at
		s.line(line, j.path(name))
	}
	return out, f.Close()
}

func (s *scan) line(line []byte, path string) {
	e, err := DecodeEntry(line)
	if err != nil {
		s.seq += uint64(max(bytes.Count(line, entryMark), 1)) // a damaged newline makes one line of two
		if s.seq > s.covered {
			s.lost = s.seq
		}
		s.restored.warn("%s: line %d: %v", path, s.seq, err)
		return
	}
	if s.seq+s.covered > 0 && e.Seq > s.seq+1 && e.Seq-1 > s.covered {
		s.lost = e.Seq - 1
		s.restored.warn("%s: decisions up to %d are missing", path, e.Seq-1)
	}
	s.seq = e.Seq
	s.last[e.Rollout] = e
	if s.tail = append(s.tail, e); len(s.tail) > 2*tailEntries {
		s.tail = append([]Entry(nil), s.tail[tailEntries:]...)
	}
}

// cutTorn drops the unfinished last line.
func (j *Journal) cutTorn(s *scan, lines file) error {
	j.size = lines.whole
	if !lines.found {
		return nil
	}
	f, err := j.fs.Append(j.path(linesName))
	if err != nil {
		s.restored.warn("%s cannot be written: %v", j.path(linesName), err)
		return nil
	}
	j.lines = f
	if len(s.torn) == 0 {
		return nil
	}
	j.torn = true // until cut: the next Append tries again
	s.restored.warn("%s: cut an unfinished last line of %d bytes", j.path(linesName), len(s.torn))
	if err := f.Truncate(j.size); err != nil {
		s.restored.warn("%s cannot be cut: %v", j.path(linesName), err)
		return nil
	}
	j.torn = false
	return nil
}

// apply lays later decisions over the records of state.json.
func (s *scan) apply() {
	records := s.restored.Rollouts
	for name, e := range s.last {
		record, known := records[name]
		if !known || e.State.Version > record.State.Version {
			records[name] = record.after(e)
		}
	}
	if s.lost != 0 {
		for name, record := range records {
			if e, ok := s.last[name]; !ok || e.Seq < s.lost {
				record.Broken = "its last decision may be one that cannot be read"
				records[name] = record
			}
		}
	}
	if h, ok := tornHead(s.torn); ok {
		if record := records[h.Rollout]; h.To < record.State.Weight {
			record.Broken = "a decision to lower its weight was not written to its end"
			records[h.Rollout] = record
		}
	}
}

// after is the record once e was decided. Evidence of another step is not e's.
func (r Record) after(e Entry) Record {
	if r.Evidence != nil && (r.Evidence.Step != e.State.Step || r.State.Attempt != e.State.Attempt) {
		r.Evidence = nil
	}
	if r.State.Attempt != e.State.Attempt {
		r.Mask, r.Exposure = nil, Exposure{}
	}
	r.State, r.Number, r.Last = e.State, e.Number, &e
	return r
}
