// Package journal keeps on disk what must outlive the process: every decision that said something new, and the whole
// memory of every rollout.
//
//	decisions.jsonl     one decision a line, appended and fsynced; what it says is the truth
//	decisions.1.jsonl   the generation before, once the first reached its size limit
//	windows.jsonl       what the looks in between saw, for a replay and for charts; never fsynced, and rotated likewise
//	state.json          phase, stage, weight, attempt, evidence, mask: a temporary file, fsynced and renamed into place
//	state.prev.json     the generation before
//	lock                held while a process uses the directory
//
// Every line and every state file carries a schema version and a CRC. Each line holds the rollout's state after the
// decision, so the newest line of a rollout and its record in state.json can be compared by State.Version: after a kill
// between "decision appended" and "state saved" the line wins. Lines are numbered, so a lost one shows as a gap, and a
// rollout whose last decision may be the lost one comes back at weight 0 and starts nothing by itself.
//
//	state files        restored as
//	none, no lines     Fresh: a first start
//	newest readable    it, and later lines over it
//	only the previous  it, and later lines over it, with a warning
//	none readable      Broken: weight 0, nothing starts by itself
//
// Append and Save are called by one goroutine, the control loop's writer; Decisions by anybody. Nothing here
// panics on bytes read from disk.
package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"
)

// File names inside the state directory.
const (
	linesName     = "decisions.jsonl"
	linesPrevName = "decisions.1.jsonl"
	stateName     = "state.json"
	statePrevName = "state.prev.json"
	stateTempName = "state.json.tmp"
	lockName      = "lock"
)

const (
	// schema is the version of lines and state files this program writes, and the newest it reads.
	schema = 1
	// rotateBytes is the size at which decisions.jsonl becomes decisions.1.jsonl: some thousands of decisions.
	rotateBytes = 8 << 20
	// reserveBytes is the room kept allocated behind the last line, so that a rollback can be written on a full disk.
	reserveBytes = 256 << 10
	// tailEntries is how many of the last decisions stay in memory.
	tailEntries = 512
)

// ErrLocked says that another process uses the state directory.
var ErrLocked = errors.New("in use by another process")

// Options are for tests and special places; the zero value works.
type Options struct {
	FS          FS    // nil: the operating system's
	RotateBytes int64 // 0: 8 MiB
}

// Journal is an open state directory.
type Journal struct {
	dir    string
	fs     FS
	rotate int64
	lock   io.Closer

	// owned by the writer
	lines      File
	size       int64 // of decisions.jsonl up to its last whole line
	seq        uint64
	torn       bool // bytes of a failed append may follow size
	windows    File
	windowSize int64
	skipRotate bool // state.json is unreadable: do not let it replace the previous generation

	mu   sync.RWMutex // guards the names of the two line files, and tail
	tail []Entry      // oldest first
}

// Open makes dir (mode 0700) if needed, takes its lock and reads what the last process left. The error wraps ErrLocked when
// another process has the directory; damaged files are no error but told in Restored.
func Open(dir string, opts Options) (*Journal, *Restored, error) {
	j := &Journal{dir: dir, fs: opts.FS, rotate: opts.RotateBytes}
	if j.fs == nil {
		j.fs = OS{}
	}
	if j.rotate <= 0 {
		j.rotate = rotateBytes
	}
	lock, err := j.fs.Lock(dir, lockName)
	if err != nil {
		return nil, nil, fmt.Errorf("open state directory %s: %w", dir, err)
	}
	j.lock = lock
	restored, err := j.restore()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open state directory %s: %w", dir, err), j.Close())
	}
	return j, restored, nil
}

// Close releases the directory. Nothing is written.
func (j *Journal) Close() error {
	var err error
	if j.lines != nil {
		err = j.lines.Close()
	}
	if j.windows != nil {
		err = errors.Join(err, j.windows.Close())
	}
	return errors.Join(err, j.lock.Close())
}

func (j *Journal) path(name string) string { return filepath.Join(j.dir, name) }

// Append writes the entries in order and returns when they are on stable storage. On an error none of them counts: the file
// is cut back to where it was, now or before the next Append.
func (j *Journal) Append(entries ...Entry) error {
	if err := j.readyLines(); err != nil {
		return fmt.Errorf("append decision: %w", err)
	}
	var block []byte
	for i := range entries {
		entries[i].Seq = j.seq + uint64(i) + 1
		line, err := EncodeEntry(entries[i])
		if err != nil {
			return fmt.Errorf("append decision %s: %w", entries[i].ID, err)
		}
		block = append(block, line...)
	}
	j.torn = true
	_, err := j.lines.Write(block)
	if err == nil {
		err = j.lines.Sync()
	}
	if err != nil {
		if j.lines.Truncate(j.size) == nil {
			j.torn = false
		}
		return fmt.Errorf("append decision to %s: %w", j.path(linesName), err)
	}
	j.torn = false
	j.size += int64(len(block))
	j.seq += uint64(len(entries))
	j.lines.Reserve(reserveBytes)
	j.remember(entries)
	return nil
}

// readyLines opens, mends and rotates decisions.jsonl as needed.
func (j *Journal) readyLines() error {
	if err := j.openForAppend(); err != nil {
		return err
	}
	if j.torn {
		if err := j.lines.Truncate(j.size); err != nil {
			return err
		}
		j.torn = false
	}
	if j.size < j.rotate {
		return nil
	}
	if err := j.rotateLines(); err != nil {
		return err
	}
	return j.openForAppend()
}

func (j *Journal) openForAppend() error {
	if j.lines != nil {
		return nil
	}
	lines, err := j.fs.Append(j.path(linesName))
	if err != nil {
		return err
	}
	if err := j.fs.SyncDir(j.dir); err != nil {
		return errors.Join(err, lines.Close())
	}
	j.lines = lines
	lines.Reserve(reserveBytes)
	return nil
}

func (j *Journal) rotateLines() error {
	j.mu.Lock()
	err := j.fs.Rename(j.path(linesName), j.path(linesPrevName))
	j.mu.Unlock()
	if err != nil {
		return err
	}
	err = j.lines.Close()
	j.lines, j.size = nil, 0
	return err
}

func (j *Journal) remember(entries []Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	tail := append(j.tail, entries...)
	if extra := len(tail) - tailEntries; extra > 0 {
		tail = append([]Entry(nil), tail[extra:]...)
	}
	j.tail = tail
}

// Save replaces state.json by s. On an error the generations on disk are what they were.
func (j *Journal) Save(s Saved) error {
	s.Seq, s.At = j.seq, time.Now().UTC()
	block, err := EncodeState(s)
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	if err := j.replaceState(block); err != nil {
		return fmt.Errorf("save state to %s: %w", j.path(stateName), err)
	}
	return nil
}

func (j *Journal) replaceState(block []byte) error {
	if err := j.writeTemp(block); err != nil {
		return err
	}
	if !j.skipRotate {
		err := j.fs.Rename(j.path(stateName), j.path(statePrevName))
		if err != nil && !isNotExist(err) {
			return err
		}
	}
	if err := j.fs.Rename(j.path(stateTempName), j.path(stateName)); err != nil {
		return err
	}
	j.skipRotate = false
	return j.fs.SyncDir(j.dir)
}

func (j *Journal) writeTemp(block []byte) error {
	temp, err := j.fs.Create(j.path(stateTempName))
	if err != nil {
		return err
	}
	_, err = temp.Write(block)
	if err == nil {
		err = temp.Sync()
	}
	return errors.Join(err, temp.Close())
}
