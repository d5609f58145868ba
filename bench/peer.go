package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// setup is what every proxy of a scenario is configured for.
type setup struct {
	dir      string   // its own; configuration and state go here
	port     int      // of 127.0.0.1
	admin    int      // another free port
	stable   []string // upstream addresses, host:port or unix:PATH; all but Caddy use the first two
	canary   string
	threads  int
	routes   int
	rollouts int
}

// others calls f for every route that the load does not take, 1..routes-1.
func (s setup) others(f func(i int)) {
	for i := 1; i < s.routes; i++ {
		f(i)
	}
}

// proxy is one program under test.
type proxy struct {
	name    string
	program string
	missing string                                 // what to do when the program is not there
	version []string                               // arguments that print its version
	write   func(s setup) (args []string, _ error) // writes its configuration, returns the arguments to run it with
}

// proxies are the peers, configured alike: keep-alive to the upstream, no access log, a 90/10 split by a hash of
// X-User-ID, X-Forwarded-For. serin does all it promises besides.
var proxies = []proxy{
	{"nginx", "nginx", "apt-get install nginx-light", []string{"-v"}, writeNginx},
	{"haproxy", "haproxy", "apt-get install haproxy", []string{"-v"}, writeHAProxy},
	{"caddy", "", "give -bin caddy=PATH", []string{"version"}, writeCaddy},
	{"serin", "", "run in the project, or give -bin serin=PATH", []string{"version"}, writeSerin},
}

func proxyNames() []string {
	var names []string
	for _, p := range proxies {
		names = append(names, p.name)
	}
	return names
}

// findProxies resolves the wanted proxies' programs; serin is built into dir unless it is given. Every proxy that is
// missing is named at once.
func findProxies(ctx context.Context, o *options, dir string) ([]proxy, error) {
	var found []proxy
	var missing []error
	for _, name := range o.proxies {
		p, err := findProxy(ctx, name, o.binaries[name], dir)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		found = append(found, p)
	}
	for name, path := range o.binaries {
		if strings.HasPrefix(name, "serin-") && !slices.Contains(o.proxies, name) {
			p, err := findProxy(ctx, name, path, dir)
			missing = append(missing, err)
			found = append(found, p)
		}
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		missing = append(missing, errors.New("no wrk: apt-get install wrk"))
	}
	return found, errors.Join(missing...)
}

func findProxy(ctx context.Context, name, path, dir string) (_ proxy, err error) {
	kind, _, _ := strings.Cut(name, "-")
	i := slices.IndexFunc(proxies, func(p proxy) bool { return p.name == kind })
	if i < 0 {
		return proxy{}, fmt.Errorf("no proxy %q; there are %s", name, strings.Join(proxyNames(), ", "))
	}
	p := proxies[i]
	p.name = name
	switch {
	case path != "":
		p.program = path
	case kind == "serin":
		p.program = filepath.Join(dir, "serin")
		build := exec.CommandContext(ctx, "go", "build", "-o", p.program, "./cmd/serin")
		if text, err := build.CombinedOutput(); err != nil {
			return p, fmt.Errorf("build serin: %w: %s", err, text)
		}
	case kind == "caddy":
		p.program, err = builtCaddy(ctx)
		if err != nil {
			return p, err
		}
	}
	full, err := exec.LookPath(p.program)
	if err != nil {
		return p, fmt.Errorf("no %s: %s", name, p.missing)
	}
	p.program, err = filepath.Abs(full)
	return p, err
}

// versionOf is the first line the program says about itself.
func versionOf(ctx context.Context, p proxy) string {
	text, err := exec.CommandContext(ctx, p.program, p.version...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if err == nil && line != "unknown" {
		return line
	}
	if built, err := buildinfo.ReadFile(p.program); err == nil { // `go install` leaves it only there
		return built.Main.Path + " " + built.Main.Version
	}
	return "unknown version"
}

// writeConfig puts a configuration into the proxy's directory.
func writeConfig(s setup, name, text string) (path string, err error) {
	path = filepath.Join(s.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
