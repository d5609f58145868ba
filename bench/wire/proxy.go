package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// briefWait is every timeout of the brief profile on the client's side, briefAnswer on the upstream's: longer, so that
	// it is certain who was slow. briefBody is its limit of request bodies, in bytes.
	briefWait   = 800 * time.Millisecond
	briefAnswer = 1200 * time.Millisecond
	briefBody   = 64 << 10

	choosyRequests = 3
	choosyClients  = 8
	viaName        = "wire"
)

// setup is what one process of a proxy is configured for.
type setup struct {
	dir      string // its own
	port     int    // a free one of 127.0.0.1
	upstream string // address
	with     profile
	fullDoor bool // serin: fast_lane = false
}

// proxy is one program under test.
type proxy struct {
	name     string
	program  string
	missing  string // what to do when the program is not there
	says     []string
	write    func(s setup) (args []string, _ error) // writes its configuration, returns the arguments to run it with
	fullDoor bool
}

// proxies are those of the table. The peers' configurations are what an administrator writes who has read their manual:
// HTTP/1.1 and keep-alive to the upstream, forwarding fields replaced unless the peer is trusted, websocket and no other
// upgrade, Date and Server of the origin passed on.
var proxies = []proxy{
	{name: "serin", says: []string{"version"}, write: writeSerin},
	{name: "serin-full-door", says: []string{"version"}, write: writeSerin, fullDoor: true},
	{name: "nginx", program: "nginx", missing: "apt-get install nginx-light", says: []string{"-v"}, write: writeNginx},
	{name: "haproxy", program: "haproxy", missing: "apt-get install haproxy", says: []string{"-v"}, write: writeHAProxy},
}

func proxyNames() []string {
	var names []string
	for _, p := range proxies {
		names = append(names, p.name)
	}
	return names
}

// findProxies resolves the wanted proxies' programs; serin is that one. Every one that is missing is named.
func findProxies(names []string, serin string) ([]proxy, error) {
	var found []proxy
	var missing []error
	for _, name := range names {
		i := slices.IndexFunc(proxies, func(p proxy) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no proxy %q; there are %s", name, strings.Join(proxyNames(), ", "))
		}
		p := proxies[i]
		if p.program == "" {
			p.program = serin
		}
		path, err := exec.LookPath(p.program)
		if err != nil {
			missing = append(missing, fmt.Errorf("no %s: %s", name, p.missing))
		}
		p.program = path
		found = append(found, p)
	}
	return found, errors.Join(missing...)
}

// buildSerin builds the project's binary into dir. Buffers are overwritten when they are released, so that a message put
// together from one that was released too early is seen.
func buildSerin(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "serin")
	args := []string{"build", "-tags", "poison", "-o", program}
	if raceDetector {
		args = append(args, "-race")
	}
	if text, err := exec.CommandContext(ctx, "go", append(args, "serin/cmd/serin")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build serin: %w: %s", err, text)
	}
	return program, nil
}

// version is the first line the program says about itself.
func (p proxy) version(ctx context.Context) string {
	text, err := exec.CommandContext(ctx, p.program, p.says...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if err != nil {
		return "unknown version"
	}
	line, _, _ = strings.Cut(line, " - http")
	return strings.TrimPrefix(line, "nginx version: ")
}

// writeConfig puts a configuration into the process's directory.
func writeConfig(s setup, name, text string) (path string, err error) {
	path = filepath.Join(s.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
