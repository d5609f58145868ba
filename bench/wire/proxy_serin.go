package main

import "fmt"

const serinText = `[listen]
address   = "127.0.0.1:%[1]d"
fast_lane = %[2]t
%[3]s
[admin]
address = "unix:%[4]s/admin"
[state]
dir = "%[4]s/state"
[log]
level = "warn"

[upstream.v1]
servers = ["%[5]s"]
%[6]s
[route.all]
upstream = "v1"
`

func writeSerin(s setup) (args []string, err error) {
	listen, upstream := "", ""
	switch s.with {
	case usual:
	case brief:
		listen = fmt.Sprintf(`[listen.timeout]
head = "%[1]s"
body_idle = "%[1]s"
keep_alive = "%[1]s"
write_idle = "%[1]s"
tunnel_idle = "%[1]s"
[listen.limits]
body = "%[2]dKiB"
body_rate = "4B"
`, briefWait, briefBody>>10)
		upstream = fmt.Sprintf("timeout = { response = \"%[1]s\", idle = \"%[1]s\" }\n", briefAnswer)
	case trusted:
		listen = `trusted_proxies = ["127.0.0.0/8"]` + "\n"
	case choosy:
		listen = fmt.Sprintf(`hosts = ["example.test"]
ambiguous_paths = "reject"
underscores = "reject"
limits = { requests = %d, per_ip = %d }
`, choosyRequests, choosyClients)
	case named:
		listen = fmt.Sprintf("via = %q\nunderscores = \"drop\"\n", viaName)
	}
	text := fmt.Sprintf(serinText, s.port, !s.fullDoor, listen, s.dir, s.upstream, upstream)
	path, err := writeConfig(s, "serin.toml", text)
	return []string{"run", "-c", path}, err
}
