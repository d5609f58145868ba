package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const caddyModule = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.10.2"

// builtCaddy is Caddy built from its module by the same Go as serin, once: it is kept in the user's cache.
func builtCaddy(ctx context.Context) (program string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place to keep caddy: %w", err)
	}
	_, version, _ := strings.Cut(caddyModule, "@")
	dir := filepath.Join(cache, "serin-bench", "caddy-"+version)
	program = filepath.Join(dir, "caddy")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fmt.Printf("building %s into %s, once; about a minute\n", caddyModule, dir)
	build := exec.CommandContext(ctx, "go", "install", caddyModule)
	build.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build caddy: %w: %s", err, text)
	}
	return program, nil
}

// writeCaddy splits by rendezvous hashing of the header over nine addresses of stable and one of canary: Caddy's
// weighted policy does not keep a user on one arm, so this is the only split of its own that does the same job.
func writeCaddy(s setup) (args []string, err error) {
	type object = map[string]any
	forward := func(addresses []string) []any {
		var upstreams []any
		for _, a := range addresses {
			upstreams = append(upstreams, object{"dial": strings.Replace(a, "unix:", "unix/", 1)})
		}
		return []any{object{
			"handler":        "reverse_proxy",
			"upstreams":      upstreams,
			"load_balancing": object{"selection_policy": object{"policy": "header", "field": "X-User-ID"}},
			"transport":      object{"protocol": "http", "keep_alive": object{"max_idle_conns_per_host": 1024}},
		}}
	}
	var routes []any
	s.others(func(i int) {
		routes = append(routes, object{
			"match":  []any{object{"path": []string{fmt.Sprintf("/service-%d/*", i)}}},
			"handle": forward(s.stable[:2]),
		})
	})
	routes = append(routes, object{"handle": forward(append(s.stable[:9:9], s.canary))})
	text, err := json.MarshalIndent(object{
		"admin":   object{"disabled": true},
		"logging": object{"logs": object{"default": object{"level": "ERROR"}}},
		"storage": object{"module": "file_system", "root": s.dir},
		"apps": object{"http": object{"servers": object{"bench": object{
			"listen":          []string{fmt.Sprintf("127.0.0.1:%d", s.port)},
			"automatic_https": object{"disable": true},
			"routes":          routes,
		}}}},
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	path, err := writeConfig(s, "caddy.json", string(text))
	return []string{"run", "--config", path}, err
}
