// Command bench measures what a request costs in serin and in its peers, side by side on one machine.
//
//	wrk or a constant-rate client --> proxy (nginx | haproxy | caddy | serin) --> one upstream process, two arms
//	        X-User-ID: one of 2,000 users          90/10 split by a hash of it      says which arm it is
//
// The figure is CPU microseconds per request, from the kernel's accounting of the proxy's threads: on a small shared
// machine requests per second and p99 swing by a factor of two between runs, CPU per request does not. Every proxy
// is checked first (share, stickiness, bodies) and not quoted when it fails. Rounds are interleaved in rotated order,
// ratios are taken within a round, and the median of the rounds is reported. A round during which other programs or
// the hypervisor took the machine is thrown away and repeated.
//
// The same program is also the upstream and the constant-rate client, each in a process of its own:
// `bench upstream`, `bench rate`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	proxies, scenarios []string
	binaries           map[string]string
	rounds             int
	duration           time.Duration
	pinned, strace     bool
	maxOthers          float64 // share of the machine, 0..1
	maxStolen          float64
	out                string
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "upstream":
			return runUpstream(ctx, args[1:])
		case "rate":
			return runRate(ctx, args[1:])
		case "report":
			return runReport(args[1:])
		}
	}
	o, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	return measureAll(ctx, o)
}

func parseOptions(args []string) (*options, error) {
	o := &options{binaries: map[string]string{}}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	proxies := flags.String("proxies", "nginx,haproxy,serin", "proxies to compare, of "+strings.Join(proxyNames(), ", "))
	scenarios := flags.String("scenarios", "c1,c64,c1000,get10k,get1m,post10k", "scenarios, or all:\n"+scenarioHelp())
	flags.IntVar(&o.rounds, "rounds", 5, "good rounds to collect of each scenario")
	flags.DurationVar(&o.duration, "duration", 5*time.Second, "load on each proxy in each round")
	flags.BoolVar(&o.pinned, "pinned", true, "the proxy alone on CPU 0, client and upstream on CPU 1")
	flags.BoolVar(&o.strace, "strace", false, "also count system calls per request (needs strace)")
	flags.Float64Var(&o.maxOthers, "max-others", 0.05, "discard a round when other programs used more of the machine, 0..1")
	flags.Float64Var(&o.maxStolen, "max-stolen", 0.02, "discard a round when the hypervisor took more of the machine, 0..1")
	flags.StringVar(&o.out, "out", filepath.Join("bench", "results"), "directory of the results")
	list := flags.Bool("list", false, "list the scenarios and leave")
	flags.Func("bin", "a proxy's program, NAME=PATH; serin-ANY=PATH adds another build of serin", func(s string) error {
		name, path, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("want NAME=PATH, got %q", s)
		}
		o.binaries[name] = path
		return nil
	})
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: bench [flags]          measure and write Markdown, SVG and JSON\n"+
			"       bench report FILE.json  write Markdown and SVG again from a run's data\n\n")
		flags.PrintDefaults()
	}
	_ = flags.Parse(args) // ExitOnError
	if *list {
		fmt.Println(scenarioHelp())
		return nil, flag.ErrHelp
	}
	o.proxies, o.scenarios = strings.Split(*proxies, ","), strings.Split(*scenarios, ",")
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.rounds < 1 || o.duration < time.Second:
		return nil, fmt.Errorf("at least one round of one second is needed")
	}
	return o, nil
}

// runReport renders a finished run again.
func runReport(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: bench report FILE.json")
	}
	results, err := readResults(args[0])
	if err != nil {
		return err
	}
	return results.write(strings.TrimSuffix(args[0], ".json"))
}
