package main

import (
	"fmt"
	"strings"
)

// serinText keeps the rollout at 10 % by a stage longer than any run; gates, windows and evidence are all at work.
const serinText = `[listen]
address = "127.0.0.1:%[1]d"
[admin]
address = "127.0.0.1:%[2]d"
[state]
dir = "%[3]s/state"
[log]
level = "warn"

[upstream.v1]
servers = ["%[4]s", "%[5]s"]
[upstream.v2]
servers = ["%[6]s"]
`

func writeSerin(s setup) (args []string, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, serinText, s.port, s.admin, s.dir, s.stable[0], s.stable[1], s.canary)
	route := ""
	if s.routes > 1 {
		route = `route = "bench"` + "\n"
		b.WriteString("\n[route.bench]\npath = \"/*\"\nupstream = \"v1\"\n")
	}
	writeRollout(&b, "bench", route)
	s.others(func(i int) {
		name := fmt.Sprintf("service-%d", i)
		fmt.Fprintf(&b, "\n[route.%s]\npath = \"/%s/*\"\nupstream = \"v1\"\n", name, name)
		if i < s.rollouts {
			writeRollout(&b, name, fmt.Sprintf("route = %q\n", name))
		}
	})
	path, err := writeConfig(s, "serin.toml", b.String())
	return []string{"run", "-c", path}, err
}

func writeRollout(b *strings.Builder, name, route string) {
	fmt.Fprintf(b, `
[rollout.%[1]s]
%[2]sstable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["10%%", "100%%"]
every  = "24h"
max_stage = "48h"
[[rollout.%[1]s.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 2pt"
[[rollout.%[1]s.gate]]
metric = "latency_p99"
hold   = "stable * 1.25"
`, name, route)
}
