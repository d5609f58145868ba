package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is one kind of load.
type scenario struct {
	name, about string
	conns       int    // client connections
	path        string // names the size of the answer
	body        int    // bytes to POST; 0: GET
	rate        int    // requests a second, open loop; 0: as many as go, closed loop
	routes      int    // configured routes, the loaded one included
	rollouts    int    // of serin's routes, how many carry a rollout of their own
	unix        bool   // the upstream listens on unix sockets
	idle        int    // connections that do nothing; memory is the figure, not CPU
	only        string // proxies to measure, comma-separated; empty: all
	settle      time.Duration
}

// measures reports whether the scenario says something about the proxy; builds of serin are serin.
func (s scenario) measures(proxy string) bool {
	kind, _, _ := strings.Cut(proxy, "-")
	return s.only == "" || slices.Contains(strings.Split(s.only, ","), kind)
}

var scenarios = []scenario{
	{name: "c1", about: "GET 100 B, 1 connection", conns: 1, path: "/100"},
	{name: "c64", about: "GET 100 B, 64 connections", conns: 64, path: "/100"},
	{name: "c1000", about: "GET 100 B, 1,000 connections", conns: 1000, path: "/100"},
	{name: "get10k", about: "GET 10 KB, 64 connections", conns: 64, path: "/10240"},
	{name: "get1m", about: "GET 1 MB, 64 connections", conns: 64, path: "/1048576"},
	{name: "post10k", about: "POST 10 KB, 64 connections", conns: 64, path: "/100", body: 10240},
	{name: "rate3000", about: "GET 100 B, 3,000 requests/s, 64 connections", conns: 64, path: "/100", rate: 3000},
	{name: "routes100", about: "GET 100 B, 64 connections, 100 routes", conns: 64, path: "/100", routes: 100, only: "nginx,haproxy,serin"},
	{name: "routes1000", about: "GET 100 B, 64 connections, 1,000 routes", conns: 64, path: "/100", routes: 1000, only: "nginx,haproxy,serin"},
	{name: "rollouts100", about: "GET 100 B, 64 connections, 100 rollouts", conns: 64, path: "/100", routes: 100, rollouts: 100, only: "nginx,serin"},
	{name: "rollouts1000", about: "GET 100 B, 64 connections, 1,000 rollouts", conns: 64, path: "/100", routes: 1000, rollouts: 1000, only: "nginx,serin", settle: 45 * time.Second},
	{name: "unix", about: "GET 100 B, 64 connections, upstream on a unix socket", conns: 64, path: "/100", unix: true, only: "nginx,haproxy,serin"},
	{name: "idle", about: "idle connections, 10,000 or what the descriptor limit allows", path: "/100", idle: 10_000},
}

// findScenarios returns the named ones in the table's order.
func findScenarios(names []string) ([]scenario, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	var found []scenario
	for _, s := range scenarios {
		if wanted[s.name] || wanted["all"] {
			found = append(found, s)
		}
		delete(wanted, s.name)
	}
	delete(wanted, "all")
	for name := range wanted {
		return nil, fmt.Errorf("no scenario %q; there are:\n%s", name, scenarioHelp())
	}
	return found, nil
}

func scenarioHelp() string {
	var b strings.Builder
	for _, s := range scenarios {
		fmt.Fprintf(&b, "  %-12s %s\n", s.name, s.about)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
