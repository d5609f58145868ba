package main

import (
	"fmt"
	"time"
)

const haproxyText = `global
  nbthread 1
  tune.bufsize 32768
defaults
  mode http
  timeout connect 5s
  timeout client %[1]dms
  timeout server %[5]dms
  timeout http-request %[1]dms
  timeout http-keep-alive %[1]dms
  timeout tunnel %[1]dms
  option http-keep-alive
frontend wire
  bind 127.0.0.1:%[2]d proto h1
%[3]s  default_backend pool
backend pool
  option forwardfor
  server s1 %[4]s
`

const haproxyUntrusted = `  http-request del-header x-forwarded-for
  http-request del-header x-forwarded-port
  http-request del-header x-real-ip
  http-request del-header forwarded
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
`

// haproxyUpgrade lets no upgrade but websocket through.
const haproxyUpgrade = `  acl websocket req.hdr(upgrade) -i websocket
  http-request del-header upgrade unless websocket
`

func writeHAProxy(s setup) (args []string, err error) {
	rules, wait, answer := haproxyUpgrade, time.Minute, time.Minute
	switch s.with {
	case usual:
		rules += haproxyUntrusted
	case brief:
		rules += haproxyUntrusted
		rules += fmt.Sprintf("  http-request deny deny_status 413 if { req.body_size gt %d }\n", briefBody)
		wait, answer = briefWait, briefAnswer
	case trusted:
	case choosy:
		rules += haproxyUntrusted
		rules += "  http-request deny deny_status 421 unless { req.hdr(host),field(1,:) -i example.test }\n"
		rules += fmt.Sprintf("  stick-table type ip size 1k store conn_cur\n  tcp-request connection track-sc0 src\n  http-request deny deny_status 503 if { sc0_conn_cur gt %d }\n", choosyClients)
	case named:
		rules += haproxyUntrusted
		rules += fmt.Sprintf("  http-request add-header Via \"%%[req.ver] %s\"\n", viaName)
	}
	text := fmt.Sprintf(haproxyText, wait.Milliseconds(), s.port, rules, s.upstream, answer.Milliseconds())
	path, err := writeConfig(s, "haproxy.cfg", text)
	return []string{"-db", "-f", path}, err
}
