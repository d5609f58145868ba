package main

import (
	"fmt"
	"os"
)

// nginxText: one process, as an error of one worker would be hidden by another. Host is $host, as the manual has it: it
// follows an absolute target, but loses the port.
const nginxText = `daemon off;
master_process off;
%[1]spid %[2]s/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  map $http_upgrade $asked { default ""; ~*^websocket$ websocket; }
  map $asked $hop { default ""; websocket upgrade; }
  upstream pool { server %[3]s max_fails=0; keepalive 32; }
  client_max_body_size %[4]d;
  proxy_request_buffering off;
  proxy_buffering off;
  proxy_buffer_size 16k;
  proxy_buffers 8 16k;
  proxy_http_version 1.1;
  proxy_set_header Upgrade $asked;
  proxy_set_header Connection $hop;
  proxy_set_header Host $host;
%[5]s
  proxy_pass_header Date;
  proxy_pass_header Server;
%[6]s
  map $server_protocol $received { default 1.1; HTTP/1.0 1.0; }
  map $http_via $passed { default "$http_via, "; "" ""; }
  limit_conn_zone $binary_remote_addr zone=address:1m;
  server {
    listen 127.0.0.1:%[7]d;
    server_name %[8]s;
    location / { proxy_pass http://pool; }
  }
%[9]s}
`

// nginxOthers answers for hosts that are not on the list.
const nginxOthers = `  server {
    listen 127.0.0.1:%d default_server;
    return 421;
  }
`

func writeNginx(s setup) (args []string, err error) {
	user := "" // a worker would drop root, and could not reach our directory
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	forwarding, waits, maxBody := `  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Forwarded-Port "";
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header Forwarded "";`, "", 0
	names, others := "localhost", ""
	switch s.with {
	case usual:
	case brief:
		maxBody = briefBody
		waits = fmt.Sprintf(`  client_header_timeout %[1]dms;
  client_body_timeout %[1]dms;
  keepalive_timeout %[1]dms;
  send_timeout %[1]dms;
  proxy_read_timeout %[2]dms;
  proxy_send_timeout %[2]dms;`, briefWait.Milliseconds(), briefAnswer.Milliseconds())
	case trusted:
		forwarding = `  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`
	case choosy:
		names, others = "example.test", fmt.Sprintf(nginxOthers, s.port)
		waits = fmt.Sprintf("  keepalive_requests %d;\n  limit_conn address %d;\n", choosyRequests, choosyClients)
	case named:
		waits = fmt.Sprintf("  proxy_set_header Via \"$passed$received %s\";\n", viaName)
	}
	text := fmt.Sprintf(nginxText, user, s.dir, s.upstream, maxBody, forwarding, waits, s.port, names, others)
	path, err := writeConfig(s, "nginx.conf", text)
	return []string{"-p", s.dir, "-c", path}, err
}
