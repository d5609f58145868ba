package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

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
