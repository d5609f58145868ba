package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// clockAllowance is how far the wall clock may have been set back between two decisions: reading on behind since stops
// only past it.
const clockAllowance = 2 * time.Hour

// Decisions returns at most limit decisions of rollout ("": all) made at or after since (zero: ever), newest first: from
// memory where the last ones are enough, else from disk in bounded memory. Damaged lines are passed over. It may be called at
// any time by anybody.
func (j *Journal) Decisions(rollout string, since time.Time, limit int) ([]Entry, error) {
	if out, enough := j.recent(rollout, since, limit); enough {
		return out, nil
	}
	files, err := j.openLines()
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	out, err := readDecisions(files, rollout, since, limit)
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return out, nil
}

// recent answers from memory; enough is false where older decisions may belong to the answer.
func (j *Journal) recent(rollout string, since time.Time, limit int) (out []Entry, enough bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	for i := len(j.tail) - 1; i >= 0 && len(out) < limit; i-- {
		e := j.tail[i]
		if !since.IsZero() && e.At.Before(since.Add(-clockAllowance)) {
			return out, true
		}
		if (rollout == "" || e.Rollout == rollout) && !e.At.Before(since) {
			out = append(out, e)
		}
	}
	return out, len(out) >= limit
}

// openLines opens both generations, newer first, so that a rotation meanwhile neither hides nor repeats a line.
func (j *Journal) openLines() ([]File, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	var files []File
	for _, name := range []string{linesName, linesPrevName} {
		f, err := j.fs.Open(j.path(name))
		if isNotExist(err) {
			continue
		}
		if err != nil {
			for _, open := range files {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func readDecisions(files []File, rollout string, since time.Time, limit int) ([]Entry, error) {
	var out []Entry
	for _, f := range files {
		size, err := f.Size()
		if err != nil {
			return out, err
		}
		back := &linesBackwards{r: f, from: size}
		if err := back.skipUnfinished(); err != nil {
			return out, err
		}
		for len(out) < limit {
			line, err := back.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return out, err
			}
			e, err := DecodeEntry(line)
			if err != nil || rollout != "" && e.Rollout != rollout {
				continue
			}
			if e.At.Before(since.Add(-clockAllowance)) && !since.IsZero() {
				return out, nil
			}
			if !e.At.Before(since) {
				out = append(out, e)
			}
		}
	}
	return slices.Clip(out), nil
}

// skipUnfinished drops what follows the last newline: a line being written.
func (l *linesBackwards) skipUnfinished() error {
	_, err := l.next()
	if err == io.EOF {
		return nil
	}
	return err
}
