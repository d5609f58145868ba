// Command wire plays raw HTTP/1.1 exchanges through a proxy and judges what came out at both ends.
//
//	client script --raw bytes--> proxy under test --> scripted upstream
//	              <-- strict reader                <-- strict reader
//
// A case is one line of a table: what the client sends, byte for byte, what the upstream answers, and which outcomes are
// right. The readers at both ends take nothing but RFC 9112's grammar and remember every fault, so a message that two
// parsers could read differently is seen as what it is. Two habits find what a single exchange does not show: after the
// exchange the same connection carries a sentinel, which must be answered as the sentinel (framing out of step shows),
// and another client asks once more, and must get his own answer (a poisoned upstream connection shows).
//
// The suite knows nothing of serin: it needs a proxy's address and the address its upstream listens on. So the same cases
// run against nginx and HAProxy, and a case that both fail is looked at twice. Every case says which section of which
// RFC asks for the outcome; where the RFC leaves a choice, every choice is right. Promises of serin that no RFC asks for
// are marked as beyond and kept out of the score.
//
//	go test ./bench/wire          serin, both doors
//	go run ./bench/wire           serin, nginx, HAProxy; the table goes to bench/results/wire.md
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintf(os.Stderr, "wire: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("wire", flag.ExitOnError)
	names := flags.String("proxies", strings.Join(proxyNames(), ","), "proxies to judge")
	only := flags.String("case", "", "regular expression: only cases whose \"group/name\" it matches; nothing is saved")
	out := flags.String("out", filepath.Join("bench", "results", "wire.md"), "where the table goes")
	serin := flags.String("serin", "", "serin's binary; built from the project when not given")
	lanes := flags.Int("lanes", 4, "processes of each proxy and profile")
	_ = flags.Parse(args) // ExitOnError
	match, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("parse -case: %w", err)
	}
	dir, err := os.MkdirTemp("", "serin-wire-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *serin == "" {
		if *serin, err = buildSerin(ctx, dir); err != nil {
			return err
		}
	}
	found, err := findProxies(strings.Split(*names, ","), *serin)
	if err != nil {
		return err
	}
	cases := selectCases(suite(), match)
	report := newReport(time.Now(), cases)
	for _, p := range found {
		results, err := judge(ctx, p, cases, *lanes, filepath.Join(dir, "run", p.name))
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		report.add(p.name, p.version(ctx), results)
	}
	text := report.markdown()
	fmt.Print(text)
	if *only != "" {
		return nil
	}
	return os.WriteFile(*out, []byte(text), 0o644)
}
