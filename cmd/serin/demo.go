package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"serin/config"
	"serin/proxy/admin"
)

// scenario is one story the demo tells.
type scenario struct {
	name           string
	tells          string // what is wrong with v2, or not
	stable, canary behaviour
	rate           float64       // requests per second
	lasts          time.Duration // the story ends by itself by then
	ends           string        // phase it should end in; "" any phase, when time is up
}

const (
	demoUsers  = 2000
	demoMedian = 15 * time.Millisecond
	demoSigma  = .4
)

var scenarios = []scenario{
	{"errors", "v2 fails 5 % of its requests; v1 fails 0.5 %.",
		behaviour{.005, demoMedian, demoSigma}, behaviour{.05, demoMedian, demoSigma}, 500, 2 * time.Minute, "rolled_back"},
	{"slow", "v2 is as correct as v1 and twice as slow.",
		behaviour{.005, demoMedian, demoSigma}, behaviour{.005, 2 * demoMedian, demoSigma}, 500, 2 * time.Minute, "rolled_back"},
	{"good", "v2 is as good as v1: both fail 0.5 %.",
		behaviour{.005, demoMedian, demoSigma}, behaviour{.005, demoMedian, demoSigma}, 500, 5 * time.Minute, "completed"},
	{"sparse", "v2 is as good as v1, but only 5 requests come per second.",
		behaviour{.005, demoMedian, demoSigma}, behaviour{.005, demoMedian, demoSigma}, 5, 40 * time.Second, ""},
}

// demoConfig is the file the demo runs: stages of ten seconds in place of fifteen minutes, all else as in production.
const demoConfig = `[listen]
address = %q
[admin]
address = %q
[state]
dir = %q

[upstream.v1]
servers = [%q]
[upstream.v2]
servers = [%q]

[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["5%%", "25%%", "100%%"]
every  = "10s"
warmup = "2s"
# One user in twenty stays on v1 to compare with, for the 1 %% of production would take minutes here.
holdback = "5%%"

[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 2pt"

[[rollout.shop.gate]]
metric   = "latency_p95"
hold     = "stable * 1.25"
rollback = "stable * 1.5"
`

func newDemoCmd(e *env) *cobra.Command {
	var name, listen, adminAddress string
	var stay bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "watch a release being judged, all in one process",
		Long: `demo starts two versions of a sample service, a crowd of 2,000 users and serin between
them, all in this process and on loopback, and tells what happens. Stages last ten
seconds instead of fifteen minutes; proxy, evidence and control are the real ones.

Exit code 0: the story ended as it should have.`,
		Args: knownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
			if i < 0 {
				return usagef("errors, slow, good or sparse", "there is no scenario %q", name)
			}
			return e.demo(cmd.Context(), scenarios[i], listen, adminAddress, stay)
		},
	}
	cmd.AddCommand(newDemoServiceCmd(e), newDemoLoadCmd(e))
	cmd.Flags().StringVar(&name, "scenario", "errors", "errors, slow, good or sparse")
	cmd.Flags().BoolVar(&stay, "stay", false, "go on after the story's end, until interrupted, to look around")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "the proxy's address; a free port when it is taken")
	cmd.Flags().StringVar(&adminAddress, "admin", defaultAdmin, "the admin API's address; a free port when it is taken")
	return cmd
}

// demo runs one scenario from start to end.
func (e *env) demo(ctx context.Context, s scenario, listen, adminAddress string, stay bool) error {
	ctx, closed := signal.NotifyContext(ctx, syscall.SIGHUP) // the terminal was closed: leave no folder behind
	defer closed()
	story, cancel := context.WithTimeout(ctx, s.lasts)
	defer cancel()
	if !stay {
		ctx = story
	}
	dir, err := os.MkdirTemp("", "serin-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir)

	var rooms group
	defer rooms.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	spawn := func(what string, run func(context.Context) error) { rooms.start(ctx, stop, what, run) }
	addresses, err := serveSamples(spawn, newSampleService("v1", s.stable), newSampleService(canaryVersion, s.canary))
	if err != nil {
		return err
	}
	listen, adminAddress = freeAddress(listen), freeAddress(adminAddress)
	plan, err := demoPlan(dir, listen, adminAddress, addresses)
	if err != nil {
		return err
	}
	load, err := demoServe(ctx, spawn, plan, "http://"+listen+"/basket", s.rate)
	if err != nil {
		return err
	}
	client, err := admin.NewClient(adminAddress)
	if err != nil {
		return err
	}
	defer client.Close()
	t := &teller{env: e, scenario: s, load: load, client: client, began: time.Now()}
	t.opening(listen, adminAddress)
	err = t.follow(story)
	switch {
	case stay && err == nil:
		e.print("", "It goes on until Ctrl-C: http://"+adminAddress+"/")
		<-ctx.Done()
	case err == nil && story.Err() == nil:
		e.print("", "With --stay the page stays, to look around.")
	}
	return err
}

// demoServe runs serin and, once it serves, the crowd.
func demoServe(ctx context.Context, spawn func(string, func(context.Context) error), plan *config.Plan, url string, rate float64) (*sampleLoad, error) {
	d, err := newDaemon(ctx, plan, daemonOptions{Log: slog.New(slog.DiscardHandler), Version: version})
	if err != nil {
		return nil, err
	}
	spawn("serin", d.Run)
	select {
	case <-d.Ready():
	case <-ctx.Done():
		return nil, demoEnd(ctx)
	}
	load := newSampleLoad(url, demoUsers, rate)
	spawn("load", func(ctx context.Context) error { load.Run(ctx); return nil })
	return load, nil
}

// demoEnd is why the demo is over: what failed, else that it was ended.
func demoEnd(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return ctx.Err()
}

// serveSamples starts the services on free loopback ports and returns their addresses.
func serveSamples(spawn func(string, func(context.Context) error), services ...*sampleService) ([]string, error) {
	addresses := make([]string, len(services))
	for i, s := range services {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("listen for sample service %s: %w", s.version, err)
		}
		addresses[i] = l.Addr().String()
		spawn("sample service "+s.version, func(ctx context.Context) error { return s.Serve(ctx, l) })
	}
	return addresses, nil
}

func demoPlan(dir, listen, adminAddress string, addresses []string) (*config.Plan, error) {
	file := filepath.Join(dir, "serin.toml")
	text := fmt.Sprintf(demoConfig, listen, adminAddress, filepath.Join(dir, "state"), addresses[0], addresses[1])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write the demo's configuration: %w", err)
	}
	plan, problems := config.Load(file, config.Options{Getenv: os.Getenv})
	if plan == nil {
		var lines []string
		for _, p := range problems {
			lines = append(lines, p.String())
		}
		return nil, fmt.Errorf("BUG: the demo's configuration is refused: %s", strings.Join(lines, "; "))
	}
	return plan, nil
}

// freeAddress is want when nobody listens there, else a free port of the same host.
func freeAddress(want string) string {
	host, _, err := net.SplitHostPort(want)
	if err != nil {
		return want
	}
	for _, address := range []string{want, net.JoinHostPort(host, "0")} {
		if l, err := net.Listen("tcp", address); err == nil {
			address = l.Addr().String()
			l.Close()
			return address
		}
	}
	return want
}
