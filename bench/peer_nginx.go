package main

import (
	"fmt"
	"os"
	"strings"
)

const nginxText = `daemon off;
master_process on;
%[1]sworker_processes %[2]d;
worker_rlimit_nofile 16384;
pid %[3]s/nginx.pid;
error_log stderr error;
events { worker_connections 20000; multi_accept off; }
http {
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  tcp_nodelay on;
  client_body_buffer_size 64k;
  client_body_temp_path %[3]s/body;
  proxy_temp_path %[3]s/proxy;
  fastcgi_temp_path %[3]s/fastcgi;
  uwsgi_temp_path %[3]s/uwsgi;
  scgi_temp_path %[3]s/scgi;
  split_clients "$http_x_user_id" $pool { 10%% canary; * stable; }
  upstream stable { server %[4]s; server %[5]s; keepalive 1024; keepalive_requests 100000000; }
  upstream canary { server %[6]s; keepalive 1024; keepalive_requests 100000000; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  server {
    listen 127.0.0.1:%[7]d backlog=4096;
    location / { proxy_pass http://$pool; }
%[8]s  }
}
`

func writeNginx(s setup) (args []string, err error) {
	user := "" // nginx's workers drop root, and could not reach our directory
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	var others strings.Builder
	s.others(func(i int) {
		fmt.Fprintf(&others, "    location /service-%d/ { proxy_pass http://stable; }\n", i)
	})
	text := fmt.Sprintf(nginxText, user, s.threads, s.dir, s.stable[0], s.stable[1], s.canary, s.port, others.String())
	path, err := writeConfig(s, "nginx.conf", text)
	return []string{"-p", s.dir, "-c", path}, err
}
