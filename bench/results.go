package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// results are a run's data, and all that its table and picture are made from.
type results struct {
	Date      string             `json:"date"` // day
	Machine   string             `json:"machine"`
	Pinned    bool               `json:"pinned"`
	Duration  time.Duration      `json:"duration_ns"` // of the load on each proxy in each round
	Command   string             `json:"command"`
	Versions  []version          `json:"versions"`
	Proxies   []string           `json:"proxies"` // in the order of columns
	Scenarios []string           `json:"scenarios"`
	Discarded int                `json:"discarded"` // rounds
	Refused   map[string]string  `json:"refused"`   // "scenario proxy": what the check found
	Syscalls  map[string]float64 `json:"syscalls"`  // "scenario proxy": a request
	Samples   []sample           `json:"samples"`
	Idle      []idling           `json:"idle,omitempty"`
}

type version struct {
	Program string `json:"program"`
	Says    string `json:"says"`
}

func newResults(ctx context.Context, o *options, found []proxy) (*results, error) {
	machine, err := describeMachine()
	if err != nil {
		return nil, err
	}
	r := &results{
		Date: time.Now().Format(time.DateOnly), Machine: machine, Pinned: o.pinned, Duration: o.duration,
		Command: commandLine(os.Args[1:]),
		Refused: map[string]string{}, Syscalls: map[string]float64{},
	}
	for _, p := range found {
		r.Proxies = append(r.Proxies, p.name)
		r.Versions = append(r.Versions, version{p.name, versionOf(ctx, p)})
	}
	text, _ := exec.CommandContext(ctx, "wrk", "-v").CombinedOutput() // exits 1 after its version
	line, _, _ := strings.Cut(string(text), "\n")
	r.Versions = append(r.Versions, version{"wrk", line}, version{"upstream", runtime.Version()})
	wanted, err := findScenarios(o.scenarios)
	for _, s := range wanted {
		r.Scenarios = append(r.Scenarios, s.name)
	}
	return r, err
}

// commandLine is how to make the run again; where programs lay is this machine's own.
func commandLine(args []string) string {
	line := "go run ./bench"
	for _, arg := range args {
		if name, path, ok := strings.Cut(arg, "="); ok && strings.Contains(path, "/") {
			arg = name + "=PATH"
		}
		line += " " + arg
	}
	return line
}

// describeMachine says what the figures were taken on: processor, CPUs, memory, kernel.
func describeMachine() (string, error) {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	memory, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return "", err
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", err
	}
	var kilobytes int64
	_, err = fmt.Sscanf(valueAfter(string(memory), "MemTotal"), "%d kB", &kilobytes)
	model := valueAfter(string(cpu), "model name")
	if model == "" {
		model = runtime.GOARCH
	}
	return fmt.Sprintf("%s, %d CPUs, %d GiB, Linux %s", model, runtime.NumCPU(), kilobytes>>20, strings.TrimSpace(string(kernel))), err
}

// valueAfter is the text behind "name :" in a /proc file.
func valueAfter(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func key(scenario, proxy string) string { return scenario + " " + proxy }

func (r *results) refuse(scenario, proxy string, why error) {
	r.Refused[key(scenario, proxy)] = why.Error()
}

func (r *results) setSyscalls(scenario, proxy string, calls float64) {
	r.Syscalls[key(scenario, proxy)] = calls
}

// fileName tells runs of a day apart by whether they were pinned.
func (r *results) fileName() string {
	if r.Pinned {
		return r.Date + "-pinned"
	}
	return r.Date + "-shared"
}

// save writes the data and what is made of it.
func (r *results) save(base string) error {
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(base+".json", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return r.write(base)
}

// write renders the table and the picture.
func (r *results) write(base string) error {
	if err := os.WriteFile(base+".md", []byte(r.markdown()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(base+".svg", []byte(r.svg()), 0o644)
}

func readResults(path string) (*results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &results{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read results %s: %w", path, err)
	}
	return r, nil
}
