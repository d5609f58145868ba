package main

import (
	"fmt"
	"strings"
)

// haproxyText: the two descriptor ratios keep 1,000 upstream connections from being closed after each use.
const haproxyText = `global
  nbthread %[1]d
  tune.bufsize 16384
  tune.pool-high-fd-ratio 80
  tune.pool-low-fd-ratio 80
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  option http-keep-alive
  http-reuse always
  default-server pool-purge-delay 300s pool-low-conn 0
frontend bench
  bind 127.0.0.1:%[2]d backlog 4096
%[3]s  http-request set-var(txn.b) req.hdr(X-User-ID),xxh32,mod(100)
  use_backend canary if { var(txn.b) -m int lt 10 }
  default_backend stable
backend stable
  balance roundrobin
  option forwardfor
  server s1 %[4]s
  server s2 %[5]s
backend canary
  option forwardfor
  server c1 %[6]s
`

func writeHAProxy(s setup) (args []string, err error) {
	others := ""
	if s.routes > 1 { // a file is searched as a tree, a rule for each route would be tried one by one
		var paths strings.Builder
		s.others(func(i int) { fmt.Fprintf(&paths, "/service-%d/\n", i) })
		list, err := writeConfig(s, "paths.lst", paths.String())
		if err != nil {
			return nil, err
		}
		others = "  use_backend stable if { path_beg -f " + list + " }\n"
	}
	server := func(address string) string { return strings.Replace(address, "unix:", "unix@", 1) }
	text := fmt.Sprintf(haproxyText, s.threads, s.port, others, server(s.stable[0]), server(s.stable[1]), server(s.canary))
	path, err := writeConfig(s, "haproxy.cfg", text)
	return []string{"-db", "-f", path}, err
}
