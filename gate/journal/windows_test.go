package journal

import (
	"errors"
	"io/fs"
	"reflect"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/window"
)

func someWindow(i int) Window {
	w := Window{
		Rollout: "checkout", At: time.Date(2026, 11, 18, 14, 0, i, 0, time.UTC), Attempt: 1, Revision: "v2", Phase: gate.Progressing,
		Stage: 2, Weight: 500, Step: 7, Clock: time.Duration(i) * time.Second, Age: time.Duration(i) * time.Second,
		Crowds: make([]window.Crowd, window.Kinds), Observed: .05, StableHealthy: true, CanaryHealthy: true,
	}
	w.Stable.Outcomes[window.Success], w.Canary.Outcomes[window.ServerError] = uint64(100*i), uint64(i)
	w.Stable.Latency[40], w.Canary.Latency[41] = uint32(100*i), uint32(i)
	w.Crowds[window.BadKind] = window.Crowd{DesignEffect: 1.5, BadBuckets: i}
	return w
}

func TestRecord_Windows_AreReadBackBesideTheirWriter(t *testing.T) {
	t.Parallel()
	disk := new(Memory)
	j, _, err := Open("s", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	want := []Window{someWindow(1), someWindow(2), someWindow(3)}
	for _, w := range want {
		if err := j.Record(w); err != nil {
			t.Fatal(err)
		}
	}
	past, err := ReadPast("s", disk)
	if err != nil || past.Damaged != 0 || !reflect.DeepEqual(past.Windows, want) {
		t.Errorf("got %+v, %v", past, err)
	}
}

// A kill cuts the last line; the next life goes on behind it, and nothing else is lost.
func TestRecord_AfterATornLine_LosesThatLineOnly(t *testing.T) {
	t.Parallel()
	disk := new(Memory)
	for life := range 2 {
		j, _, err := Open("s", Options{FS: disk})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.Record(someWindow(2*life+1)), j.Record(someWindow(2*life+2)), j.Close()); err != nil {
			t.Fatal(err)
		}
		whole, err := disk.ReadFile("s/" + windowsName)
		if err != nil {
			t.Fatal(err)
		}
		if life == 0 {
			disk.WriteFile("s/"+windowsName, whole[:len(whole)-20])
		}
	}
	past, err := ReadPast("s", disk)
	if err != nil || past.Damaged != 1 || len(past.Windows) != 3 || past.Windows[1].At.Second() != 3 {
		t.Errorf("got %d windows, %d damaged, %v", len(past.Windows), past.Damaged, err)
	}
}

func TestRecord_FullFile_BeginsAnotherAndKeepsTwo(t *testing.T) {
	t.Parallel()
	disk := new(Memory)
	j, _, err := Open("s", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := 1; i <= 4; i++ {
		if err := j.Record(someWindow(i)); err != nil {
			t.Fatal(err)
		}
		j.windowSize += windowBytes // as if it were full
	}
	past, err := ReadPast("s", disk)
	if err != nil || len(past.Windows) != 2 || past.Windows[0].At.Second() != 3 || past.Windows[1].At.Second() != 4 {
		t.Errorf("got %+v, %v", past.Windows, err)
	}
}

func TestReadPast_NothingThere_SaysSo(t *testing.T) {
	t.Parallel()
	if past, err := ReadPast("nowhere", new(Memory)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %+v, %v", past, err)
	}
}

func FuzzDecodeWindow(f *testing.F) {
	disk := new(Memory)
	j, _, err := Open("s", Options{FS: disk})
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(j.Record(someWindow(3)), j.Close()); err != nil {
		f.Fatal(err)
	}
	line, err := disk.ReadFile("s/" + windowsName)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"v":1,"crc":"00000000","window":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := decodeWindow(b); err == nil && (w.Rollout == "" || w.Age < 0) {
			t.Errorf("implausible: %+v", w)
		}
	})
}
