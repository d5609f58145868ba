package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newDemoServiceCmd is one sample upstream as a process of its own: what the examples put serin in front of.
func newDemoServiceCmd(e *env) *cobra.Command {
	var listen, name, errorRate, total, body, sells string
	var latency time.Duration
	var clock bool
	cmd := &cobra.Command{
		Use:   "service",
		Short: "serve one version of the sample service",
		Long: `service answers every request like one version of a small web shop, and says in
X-Version which. The examples use it as upstream. To change how it answers while it runs:

  curl -d '{"error_rate":0.05,"median":15000000,"sigma":0.4}' http://ADDRESS` + behaviourPath,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			failing, err := shareOf("errors", errorRate)
			if err != nil {
				return err
			}
			network, address := "tcp", listen
			if path, unix := strings.CutPrefix(listen, "unix:"); unix {
				network, address = "unix", path
			}
			l, err := net.Listen(network, address)
			if err != nil {
				return fmt.Errorf("listen for sample service %s: %w", name, err)
			}
			service := newSampleService(name, behaviour{failing, latency, demoSigma})
			if sells != "" {
				if service.sells, err = shareOf("sells", sells); err != nil {
					return err
				}
			}
			service.total, service.clock, service.body = total, clock, body
			return quietly(service.Serve(cmd.Context(), l))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9001", "address to listen on, host:port or unix:/path")
	cmd.Flags().StringVar(&name, "name", "v1", "the version it says it is")
	cmd.Flags().StringVar(&sells, "sells", "", "share of its answers that say checkout_done=1 in X-Signal, the others 0")
	cmd.Flags().StringVar(&body, "body", "", "what it answers, in place of a basket")
	cmd.Flags().StringVar(&errorRate, "errors", "0%", "share of requests that fail with 500")
	cmd.Flags().StringVar(&total, "total", "7.20", "what the basket costs, in its answers")
	cmd.Flags().BoolVar(&clock, "clock", false, "say in each answer when it was made")
	cmd.Flags().DurationVar(&latency, "latency", 0, "median latency, lognormal around it")
	return cmd
}

// quietly makes of Ctrl-C and a deadline what they are to a process that runs until it is told: its ordinary end.
func quietly(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// crowd is what `demo load` asks for.
type crowd struct {
	to, keyHeader, heavy string
	headers              []string
	rps                  float64
	users                int
	lasts                time.Duration
}

func newDemoLoadCmd(e *env) *cobra.Command {
	var c crowd
	cmd := &cobra.Command{
		Use:   "load",
		Short: "send the traffic of a crowd and count its answers",
		Long: `load sends GET requests at random times at a fixed mean rate, whatever the answers do,
each of a random one of its users. At its end it prints what it saw, by X-Version.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load, err := c.load()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			if c.lasts > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.lasts)
				defer cancel()
			}
			load.Run(ctx)
			load.Ledger().print(e.stdout)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.to, "to", "http://127.0.0.1:8080/", "address to ask")
	f.StringVar(&c.keyHeader, "key-header", "X-User-Id", "header that carries the user's key")
	f.StringArrayVar(&c.headers, "header", nil, "another header of every request, \"Name: value\"; may be repeated")
	f.Float64Var(&c.rps, "rps", 200, "requests per second")
	f.IntVar(&c.users, "users", 500, "users the requests are spread over")
	f.StringVar(&c.heavy, "heavy", "0%", "share of the requests that one of the users sends")
	f.DurationVar(&c.lasts, "for", 0, "how long; 0: until interrupted")
	return cmd
}

// load checks what was asked.
func (c *crowd) load() (*sampleLoad, error) {
	if u, err := url.Parse(c.to); err != nil || u.Host == "" || u.Scheme != "http" {
		return nil, usagef("--to http://127.0.0.1:8080/", "--to %q is no http address", c.to)
	}
	if !(c.rps > 0 && c.rps <= 1e5) || c.users < 1 || c.users > 1e6 {
		return nil, usagef("", "--rps must be in 0 to 100000 and --users in 1 to 1000000, got %v and %d", c.rps, c.users)
	}
	heavy, err := shareOf("heavy", c.heavy)
	if err != nil {
		return nil, err
	}
	load := newSampleLoad(c.to, c.users, c.rps)
	load.Heavy, load.KeyHeader, load.Header = heavy, c.keyHeader, http.Header{}
	for _, line := range c.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usagef(`--header "X-Employee: 1"`, "--header %q is no header line", line)
		}
		load.Header.Add(textproto.TrimString(name), textproto.TrimString(value))
	}
	return load, nil
}

// print tells what the crowd saw, a line a version.
func (l ledger) print(w io.Writer) {
	fmt.Fprintf(w, "%s requests, %s failed (%s)\n", count(uint64(l.Sent)), count(uint64(l.Failed)), rate(float64(l.Failed)/math.Max(1, float64(l.Sent))))
	for _, version := range slices.Sorted(maps.Keys(l.Versions)) {
		fmt.Fprintf(w, "%s answered %s\n", version, count(uint64(l.Versions[version])))
	}
	if l.Broken > 0 {
		fmt.Fprintf(w, "%s got no whole answer, the first: %s\n", count(uint64(l.Broken)), l.FirstBroken)
	}
}
