package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"serin/bench/process"
)

const (
	proxyCPU  = 0 // of a pinned run
	clientCPU = 1 // client and upstream

	warmUp      = time.Second
	stableHosts = 9 // addresses of the stable arm
	triesEach   = 4 // a scenario gives up after rounds x triesEach rounds, good and bad
)

// bench is a run in progress.
type bench struct {
	o       *options
	dir     string // temporary
	found   []proxy
	results *results
}

// measureAll runs every scenario and writes the results after each, so that a long run that is interrupted leaves
// what it has.
func measureAll(ctx context.Context, o *options) error {
	wanted, err := findScenarios(o.scenarios)
	if err != nil {
		return err
	}
	if o.pinned && runtime.NumCPU() < 2 {
		return errors.New("a pinned run needs two CPUs; use -pinned=false")
	}
	if err := raiseDescriptors(); err != nil {
		return fmt.Errorf("raise the descriptor limit: %w", err)
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{o: o, dir: dir}
	if b.found, err = findProxies(ctx, o, dir); err != nil {
		return err
	}
	if b.results, err = newResults(ctx, o, b.found); err != nil {
		return err
	}
	base := filepath.Join(o.out, b.results.fileName())
	for _, s := range wanted {
		if err := b.scenario(ctx, s); err != nil {
			return fmt.Errorf("scenario %s: %w", s.name, err)
		}
		if err := b.results.save(base); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\nwritten to %s.md, .svg and .json\n", b.results.markdown(), base)
	return nil
}

// running is a proxy that has passed the check.
type running struct {
	proxy
	*process.Process
	address string
}

// scenario starts upstream and proxies, checks them, and collects rounds.
func (b *bench) scenario(ctx context.Context, s scenario) error {
	fmt.Printf("%s: %s\n", s.name, s.about)
	dir := filepath.Join(b.dir, s.name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	common, upstream, err := b.startUpstream(ctx, dir, s)
	if err != nil {
		return err
	}
	defer upstream.Stop()

	var ready []running
	for _, p := range b.found {
		if !s.measures(p.name) {
			continue
		}
		r, err := b.startProxy(ctx, dir, p, common)
		if err != nil {
			return err
		}
		defer r.Stop()
		if err := check(ctx, r.address, settleTimeout); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.results.refuse(s.name, p.name, err)
			fmt.Printf("  %s fails the check and is not measured: %v\n%s", p.name, err, r.Tail())
			continue
		}
		ready = append(ready, r)
		if s.idle > 0 {
			continue
		}
		if _, err := drive(ctx, dir, b.clientCPU(), s, r.address, warmUp); err != nil {
			return fmt.Errorf("warm up %s: %w", p.name, err)
		}
	}
	if s.idle > 0 {
		return b.idle(ctx, s, ready)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.settle):
	}
	if err := b.rounds(ctx, dir, s, ready); err != nil || !b.o.strace {
		return err
	}
	return b.countSyscalls(ctx, dir, s, ready)
}

// rounds measures all proxies in turn, another one first each time, until there are enough good rounds.
func (b *bench) rounds(ctx context.Context, dir string, s scenario, ready []running) error {
	good := 0
	for try := 0; good < b.o.rounds && try < b.o.rounds*triesEach; try++ {
		var round []sample
		bad := ""
		for i := range ready {
			r := ready[(i+try)%len(ready)]
			m, err := b.measure(ctx, dir, s, r)
			if err != nil {
				return fmt.Errorf("%s: %w", r.proxy.name, err)
			}
			m.Round = good + 1
			round = append(round, m)
			fmt.Printf("  %d %-14s %7.2f us/request %8.0f/s p50 %-9v p99 %-9v errors %d others %.1f %% stolen %.1f %%\n", try+1, m.Proxy,
				m.micros(), m.perSecond(), m.P50.Round(10*time.Microsecond), m.P99.Round(10*time.Microsecond), m.Errors, 100*m.Others, 100*m.Stolen)
			if m.Others > b.o.maxOthers || m.Stolen > b.o.maxStolen {
				bad = fmt.Sprintf("others used %.1f %% of the machine, %.1f %% was stolen", 100*m.Others, 100*m.Stolen)
				break
			}
		}
		if bad != "" {
			b.results.Discarded++
			fmt.Printf("    round discarded: %s\n", bad)
			continue
		}
		b.results.Samples = append(b.results.Samples, round...)
		good++
	}
	if good < b.o.rounds {
		fmt.Printf("  only %d good rounds of %d: the machine is too busy\n", good, b.o.rounds)
	}
	return nil
}

// measure loads one proxy once.
func (b *bench) measure(ctx context.Context, dir string, s scenario, r running) (sample, error) {
	pid := r.PID()
	machine, err := readMachine()
	if err != nil {
		return sample{}, err
	}
	cpu, err := cpuOf(pid)
	if err != nil {
		return sample{}, err
	}
	seen, err := drive(ctx, dir, b.clientCPU(), s, r.address, b.o.duration)
	if err != nil {
		return sample{}, err
	}
	cpuAfter, err := cpuOf(pid)
	if err != nil {
		return sample{}, err
	}
	resident := residentOf(pid)
	machineAfter, err := readMachine()
	if err != nil {
		return sample{}, err
	}
	others, stolen := machineAfter.since(machine, runtime.NumCPU())
	return sample{
		Scenario: s.name, Proxy: r.proxy.name, Requests: seen.Requests, Errors: seen.Errors, CPU: cpuAfter - cpu,
		Elapsed: seen.Elapsed, P50: seen.P50, P99: seen.P99, Resident: resident, Others: others, Stolen: stolen,
	}, nil
}

func (b *bench) clientCPU() int {
	if b.o.pinned {
		return clientCPU
	}
	return anyCPU
}

// startUpstream starts the process behind the proxies and returns what all of them are configured with.
func (b *bench) startUpstream(ctx context.Context, dir string, s scenario) (setup, *process.Process, error) {
	addresses, err := upstreamAddresses(dir, s.unix)
	if err != nil {
		return setup{}, nil, err
	}
	common := setup{stable: addresses[:stableHosts], canary: addresses[stableHosts], threads: 1, routes: s.routes, rollouts: s.rollouts}
	if !b.o.pinned {
		common.threads = runtime.NumCPU()
	}
	self, err := os.Executable()
	if err != nil {
		return setup{}, nil, err
	}
	p, err := start(dir, "upstream", b.clientCPU(), self, "upstream", "-stable", strings.Join(common.stable, ","), "-canary", common.canary)
	if err != nil {
		return setup{}, nil, err
	}
	network, place := splitAddress(common.canary)
	if err := p.Listening(ctx, network, place); err != nil {
		p.Stop()
		return setup{}, nil, err
	}
	return common, p, nil
}

func upstreamAddresses(dir string, unix bool) ([]string, error) {
	addresses := make([]string, stableHosts+1)
	for i := range addresses {
		if unix {
			addresses[i] = "unix:" + filepath.Join(dir, "u"+strconv.Itoa(i)+".sock")
			continue
		}
		port, err := process.FreePort()
		if err != nil {
			return nil, err
		}
		addresses[i] = "127.0.0.1:" + strconv.Itoa(port)
	}
	return addresses, nil
}

func (b *bench) startProxy(ctx context.Context, dir string, p proxy, common setup) (running, error) {
	s := common
	s.dir = filepath.Join(dir, p.name)
	for _, port := range []*int{&s.port, &s.admin} {
		var err error
		if *port, err = process.FreePort(); err != nil {
			return running{}, err
		}
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return running{}, err
	}
	args, err := p.write(s)
	if err != nil {
		return running{}, fmt.Errorf("configure %s: %w", p.name, err)
	}
	cpu := anyCPU
	if b.o.pinned {
		cpu = proxyCPU
	}
	child, err := start(s.dir, p.name, cpu, p.program, args...)
	if err != nil {
		return running{}, err
	}
	r := running{proxy: p, Process: child, address: "127.0.0.1:" + strconv.Itoa(s.port)}
	if err := child.Listening(ctx, "tcp", r.address); err != nil {
		child.Stop()
		return running{}, err
	}
	return r, nil
}
