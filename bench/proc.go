package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/stat and /proc/PID/stat: USER_HZ, 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// family returns a process and its descendants.
func family(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		if text, err := os.ReadFile(name); err == nil {
			if s, err := parseStat(text); err == nil {
				children[s.parent] = append(children[s.parent], s.pid)
			}
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// cpuOf is the CPU time of all threads of a process and its descendants, in nanoseconds, from schedstat.
func cpuOf(pid int) (time.Duration, error) {
	var sum time.Duration
	for _, p := range family(pid) {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p))
		if err != nil || len(tasks) == 0 {
			return 0, fmt.Errorf("no schedstat of process %d", p)
		}
		for _, name := range tasks {
			text, err := os.ReadFile(name)
			if err != nil {
				continue // a thread that has just ended
			}
			d, err := parseSchedstat(text)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			sum += d
		}
	}
	return sum, nil
}

// parseSchedstat reads the first number: time on a CPU, in nanoseconds.
func parseSchedstat(text []byte) (time.Duration, error) {
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, err := strconv.ParseInt(first, 10, 64)
	return time.Duration(n), err
}

// stat is what we read of /proc/PID/stat.
type stat struct {
	pid, parent int
	self        time.Duration // user and system
	waited      time.Duration // the same of children it has waited for
	resident    int64         // pages
}

// parseStat reads around the program's name, which may contain anything.
func parseStat(text []byte) (stat, error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return stat{}, fmt.Errorf("no program name in %q", text)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:open])))
	fields := strings.Fields(string(text[end+1:]))
	if err != nil || len(fields) < 22 {
		return stat{}, fmt.Errorf("%d fields after the name in %q", len(fields), text)
	}
	number := func(field int) int64 { // numbered as in proc(5), where the state is field 3
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	return stat{
		pid: pid, parent: int(number(4)), resident: number(24),
		self:   time.Duration(number(14)+number(15)) * tick,
		waited: time.Duration(number(16)+number(17)) * tick,
	}, nil
}

// residentOf is the memory of a process and its descendants, in bytes; pages they share are counted once each.
func residentOf(pid int) int64 {
	var sum int64
	for _, p := range family(pid) {
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p)); err == nil {
			if s, err := parseStat(text); err == nil {
				sum += s.resident * int64(os.Getpagesize())
			}
		}
	}
	return sum
}

// reading is one look at the whole machine.
type reading struct {
	at     time.Time
	busy   time.Duration // of all CPUs, whoever used them
	stolen time.Duration // by the hypervisor
	own    time.Duration // of busy, ours: this process, its children, those it has waited for
}

func readMachine() (reading, error) {
	r := reading{at: time.Now()}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return r, err
	}
	if r.busy, r.stolen, err = parseMachine(text); err != nil {
		return r, err
	}
	self := os.Getpid()
	for _, p := range family(self) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			continue
		}
		s, err := parseStat(text)
		if err != nil {
			return r, err
		}
		r.own += s.self
		if p == self {
			r.own += s.waited
		}
	}
	return r, nil
}

// parseMachine reads the first line of /proc/stat: user nice system idle iowait irq softirq steal.
func parseMachine(text []byte) (busy, stolen time.Duration, err error) {
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("unexpected first line of /proc/stat: %q", line)
	}
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("first line of /proc/stat: %w", err)
		}
		switch i {
		case 0, 1, 2, 5, 6:
			busy += time.Duration(n) * tick
		case 7:
			stolen = time.Duration(n) * tick
		}
	}
	return busy, stolen, nil
}

// since returns which share of the machine others used and the hypervisor took between two readings, 0..1.
func (r reading) since(before reading, cpus int) (others, stolen float64) {
	all := float64(r.at.Sub(before.at)) * float64(cpus)
	if all <= 0 {
		return 0, 0
	}
	others = float64((r.busy-before.busy)-(r.own-before.own)) / all
	return max(0, others), float64(r.stolen-before.stolen) / all
}
