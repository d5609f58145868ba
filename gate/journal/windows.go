package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"serin/gate"
	"serin/gate/window"
	"serin/router"
)

const (
	windowsName     = "windows.jsonl"
	windowsPrevName = "windows.1.jsonl"
	// windowBytes is the size at which windows.jsonl becomes windows.1.jsonl: with both, about three days of one rollout that
	// is always under way.
	windowBytes = 32 << 20
)

// Window is what one look of the past saw, and where the rollout was: enough to judge it again with other gates. Counts
// are cumulative since the step began; users are summed up.
type Window struct {
	Rollout  string        `json:"rollout"`
	At       time.Time     `json:"at"` // wall time, for people
	Attempt  int           `json:"attempt"`
	Revision string        `json:"revision"`
	Phase    gate.Phase    `json:"phase"`
	Stage    int           `json:"stage"`
	Weight   router.Weight `json:"weight"`
	Step     uint64        `json:"step"`
	Restarts int           `json:"restarts,omitempty"`
	Clock    time.Duration `json:"clock"`
	Age      time.Duration `json:"age"`

	Stable        window.Snapshot `json:"stable"` // latencies since the warm-up
	Canary        window.Snapshot `json:"canary"`
	Crowds        []window.Crowd  `json:"crowds"` // by kind
	Warm          bool            `json:"warm,omitempty"`
	Before        window.Counts   `json:"before"`
	EffectiveThen float64         `json:"effective_then,omitempty"`
	Observed      float64         `json:"observed"`
	StableHealthy bool            `json:"stable_healthy"`
	CanaryHealthy bool            `json:"canary_healthy"`
}

// windowLine is a line of windows.jsonl.
type windowLine struct {
	Schema int             `json:"v"`
	CRC    string          `json:"crc"` // CRC-32C of window
	Window json.RawMessage `json:"window"`
}

// Record appends windows, without waiting for the disk: a kill may lose the last ones, and costs nothing but a replay's
// detail. Called by the writer, like Append.
func (j *Journal) Record(windows ...Window) error {
	var block []byte
	for i := range windows {
		body, err := json.Marshal(&windows[i])
		if err != nil {
			return fmt.Errorf("record window of %s: %w", windows[i].Rollout, err)
		}
		line, err := json.Marshal(windowLine{Schema: schema, CRC: checksum(body), Window: body})
		if err != nil {
			return fmt.Errorf("record window of %s: %w", windows[i].Rollout, err)
		}
		block = append(append(block, line...), '\n')
	}
	if err := j.readyWindows(); err != nil {
		return fmt.Errorf("record windows: %w", err)
	}
	if _, err := j.windows.Write(block); err != nil {
		err = errors.Join(err, j.windows.Close())
		j.windows = nil
		return fmt.Errorf("record windows in %s: %w", j.path(windowsName), err)
	}
	j.windowSize += int64(len(block))
	return nil
}

// readyWindows opens windows.jsonl, and begins a new one where it is full.
func (j *Journal) readyWindows() error {
	if j.windows != nil && j.windowSize >= windowBytes {
		err := errors.Join(j.windows.Close(), j.fs.Rename(j.path(windowsName), j.path(windowsPrevName)))
		j.windows = nil
		if err != nil {
			return err
		}
	}
	if j.windows != nil {
		return nil
	}
	f, err := j.fs.Append(j.path(windowsName))
	if err != nil {
		return err
	}
	if j.windowSize, err = f.Size(); err != nil {
		return errors.Join(err, f.Close())
	}
	if j.windowSize > 0 { // the end of what a kill has cut off becomes a line of its own, and unreadable
		if _, err := f.Write([]byte{'\n'}); err != nil {
			return errors.Join(err, f.Close())
		}
		j.windowSize++
	}
	j.windows = f
	return nil
}

// Past is what a state directory tells of the past, oldest first.
type Past struct {
	Decisions []Entry
	Windows   []Window
	Damaged   int // lines that could not be read
}

// ReadPast reads a state directory without its lock and without changing it, beside a serin that uses it or not. The error
// wraps fs.ErrNotExist where there is nothing to read. fsys nil is the operating system's.
func ReadPast(dir string, fsys FS) (*Past, error) {
	if fsys == nil {
		fsys = OS{}
	}
	j := &Journal{dir: dir, fs: fsys}
	past, found := new(Past), false
	read := func(take func(line []byte) error, names ...string) error {
		for _, name := range names {
			there, err := j.eachLine(name, func(line []byte) {
				if len(line) > 0 && take(line) != nil {
					past.Damaged++
				}
			})
			if err != nil {
				return err
			}
			found = found || there
		}
		return nil
	}
	err := errors.Join(read(func(line []byte) error {
		e, err := DecodeEntry(line)
		if err == nil {
			past.Decisions = append(past.Decisions, e)
		}
		return err
	}, linesPrevName, linesName), read(func(line []byte) error {
		w, err := decodeWindow(line)
		if err == nil {
			past.Windows = append(past.Windows, w)
		}
		return err
	}, windowsPrevName, windowsName))
	if err == nil && !found {
		_, err = fsys.Open(j.path(linesName))
	}
	if err != nil {
		return nil, fmt.Errorf("read journal %s: %w", dir, err)
	}
	return past, nil
}

// Windows calls on with every readable window, oldest first, until it says false. It may run beside the writer, and then sees
// at least what was there when it began.
func (j *Journal) Windows(on func(*Window) bool) error {
	going := true
	for _, name := range []string{windowsPrevName, windowsName} {
		_, err := j.eachLine(name, func(line []byte) {
			if !going || len(line) == 0 {
				return
			}
			if w, err := decodeWindow(line); err == nil {
				going = on(&w)
			}
		})
		if err != nil {
			return fmt.Errorf("read windows: %w", err)
		}
	}
	return nil
}

// eachLine calls on for every whole line of a file; there is false where the file is missing.
func (j *Journal) eachLine(name string, on func(line []byte)) (there bool, err error) {
	f, err := j.fs.Open(j.path(name))
	if isNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	size, err := f.Size()
	if err != nil {
		return true, errors.Join(err, f.Close())
	}
	lines := newLines(io.NewSectionReader(f, 0, size))
	for {
		line, err := lines.next()
		if err == io.EOF {
			return true, f.Close()
		}
		if err != nil {
			return true, errors.Join(err, f.Close())
		}
		on(bytes.Clone(line))
	}
}

func decodeWindow(b []byte) (Window, error) {
	var l windowLine
	if err := json.Unmarshal(b, &l); err != nil {
		return Window{}, err
	}
	switch {
	case l.Schema > schema:
		return Window{}, ErrFuture
	case l.Schema < 1 || l.CRC != checksum(l.Window):
		return Window{}, errCRC
	}
	var w Window
	if err := json.Unmarshal(l.Window, &w); err != nil {
		return Window{}, err
	}
	if w.Rollout == "" || w.Stage < 0 || w.Age < 0 || w.Clock < 0 || w.Weight > router.Full || len(w.Crowds) > int(window.Kinds) {
		return Window{}, errors.New("implausible window")
	}
	return w, nil
}
