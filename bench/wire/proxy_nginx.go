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
  server {
    listen 127.0.0.1:%[7]d;
    server_name localhost;
    location / { proxy_pass http://pool; }
  }
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
	}
	text := fmt.Sprintf(nginxText, user, s.dir, s.upstream, maxBody, forwarding, waits, s.port)
	path, err := writeConfig(s, "nginx.conf", text)
	return []string{"-p", s.dir, "-c", path}, err
}
