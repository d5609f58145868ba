package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// driveRate runs the constant-rate client in a process of its own.
func driveRate(ctx context.Context, cpu int, s scenario, url string, d time.Duration) (load, error) {
	self, err := os.Executable()
	if err != nil {
		return load{}, err
	}
	cmd := command(ctx, cpu, self, "rate", "-url", url, "-rate", strconv.Itoa(s.rate), "-conns", strconv.Itoa(s.conns), "-for", d.String())
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return load{}, fmt.Errorf("constant-rate client: %w", err)
	}
	var l load
	return l, json.Unmarshal(text, &l)
}

// runRate asks at a constant rate and prints what it saw as JSON. Latency is counted from the moment a request was
// due, so that a slow answer is not hidden by the requests it held up.
func runRate(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench rate", flag.ExitOnError)
	target := flags.String("url", "", "what to GET")
	rate := flags.Int("rate", 1000, "requests a second")
	conns := flags.Int("conns", 16, "connections; each has its share of the rate")
	d := flags.Duration("for", time.Second, "how long")
	_ = flags.Parse(args)
	u, err := url.Parse(*target)
	if err != nil {
		return err
	}

	var wg sync.WaitGroup
	seen := make([]timings, *conns)
	begin := time.Now()
	for i := range seen {
		wg.Go(func() {
			every := time.Duration(*conns) * time.Second / time.Duration(*rate)
			first := begin.Add(every * time.Duration(i) / time.Duration(*conns))
			seen[i].ask(ctx, u, i, first, every, begin.Add(*d))
		})
	}
	wg.Wait()
	return json.NewEncoder(os.Stdout).Encode(mergeTimings(seen, time.Since(begin)))
}

// timings are one connection's.
type timings struct {
	latencies []time.Duration
	errors    int64
}

// ask sends a request whenever one is due, from first on, until the end.
func (t *timings) ask(ctx context.Context, u *url.URL, conn int, first time.Time, every time.Duration, end time.Time) {
	c, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	if err != nil {
		t.errors++
		return
	}
	defer c.Close()
	answers := bufio.NewReaderSize(c, 16<<10)
	for n, due := 0, first; due.Before(end) && ctx.Err() == nil; n, due = n+1, due.Add(every) {
		time.Sleep(time.Until(due))
		user := (conn*31 + n*64) % users
		if err := exchange(c, answers, u, user); err != nil {
			t.errors++
			return
		}
		t.latencies = append(t.latencies, time.Since(due))
	}
}

// exchange sends one request and reads its answer.
func exchange(c net.Conn, answers *bufio.Reader, u *url.URL, user int) error {
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nX-User-ID: user-%d\r\n\r\n", u.Path, u.Host, user); err != nil {
		return err
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("status %s", answer.Status)
	}
	return nil
}

func mergeTimings(seen []timings, elapsed time.Duration) load {
	var all []time.Duration
	l := load{Elapsed: elapsed}
	for _, t := range seen {
		all = append(all, t.latencies...)
		l.Errors += t.errors
	}
	slices.Sort(all)
	l.Requests, l.P50, l.P99 = int64(len(all)), quantile(all, 0.50), quantile(all, 0.99)
	return l
}
