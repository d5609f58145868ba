package main

import (
	"math"
	"os"
	"testing"
	"time"
)

func TestParseStat_NameWithParentheses_IsReadAround(t *testing.T) {
	t.Parallel()
	text := "123 (a) b (c) S 45 1 1 0 -1 4194560 100 0 0 0 150 50 30 20 20 0 4 0 1000 2000000 512 18446744073709551615 1"
	got, err := parseStat([]byte(text))
	want := stat{pid: 123, parent: 45, self: 2 * time.Second, waited: 500 * time.Millisecond, resident: 512}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "123 no name", "x (a) S 1", "1 (a) S 1 2 3"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) found nothing wrong", bad)
		}
	}
}

func TestParseSchedstat_FirstNumber_IsTimeOnACPU(t *testing.T) {
	t.Parallel()
	if got, err := parseSchedstat([]byte("2009439494 2477755 17\n")); err != nil || got != 2009439494*time.Nanosecond {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := parseSchedstat([]byte("\n")); err == nil {
		t.Error("an empty file is read as a time")
	}
}

func TestParseMachine_FirstLine_SplitsBusyAndStolen(t *testing.T) {
	t.Parallel()
	busy, stolen, err := parseMachine([]byte("cpu  100 1 50 900 30 2 7 40 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"))
	if err != nil || busy != 160*tick || stolen != 40*tick {
		t.Errorf("got busy %v, stolen %v, %v, want %v, %v", busy, stolen, err, 160*tick, 40*tick)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 x 4 5 6 7 8"} {
		if _, _, err := parseMachine([]byte(bad)); err == nil {
			t.Errorf("parseMachine(%q) found nothing wrong", bad)
		}
	}
}

func TestReading_BetweenTwo_ChargesOthersWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	begin := time.Unix(0, 0)
	before := reading{at: begin, busy: 10 * time.Second, own: time.Second}
	after := reading{at: begin.Add(2 * time.Second), busy: 13 * time.Second, own: 3 * time.Second, stolen: 100 * time.Millisecond}
	others, stolen := after.since(before, 2)
	if math.Abs(others-0.25) > 1e-9 || math.Abs(stolen-0.025) > 1e-9 {
		t.Errorf("got others %v, stolen %v, want 0.25, 0.025", others, stolen)
	}
	after.own = 10 * time.Second // ticks are rounded: ours may seem more than all
	if others, _ := after.since(before, 2); others != 0 {
		t.Errorf("got others %v, want 0", others)
	}
}

func TestCPUOf_ABusyProcess_Grows(t *testing.T) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	x := 1.0
	for range 200_000_000 {
		x = x*1.0000001 + 1e-9
	}
	after, err := cpuOf(os.Getpid())
	if err != nil || after <= before || x == 0 {
		t.Errorf("got %v after %v, %v", after, before, err)
	}
	if residentOf(os.Getpid()) < 1<<20 {
		t.Errorf("this process resides in %d bytes", residentOf(os.Getpid()))
	}
}
