package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const users = 2000

// load is what a client saw.
type load struct {
	Requests int64         `json:"requests"`
	Errors   int64         `json:"errors"` // no answer, or not 2xx
	Elapsed  time.Duration `json:"elapsed_ns"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
}

// wrkScript asks as 2,000 users in turn. Requests are built once: the client shares its CPU with the upstream.
// What wrk prints for people differs between versions, so done prints the figures itself.
const wrkScript = `
local requests, next = {}, 0
function init(args)
  local headers = {
    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ["Accept-Language"] = "en-GB,en;q=0.5",
    ["Accept-Encoding"] = "gzip, deflate",
    ["Cookie"] = "theme=dark; session=0123456789abcdef0123456789abcdef; consent=yes",
    ["Referer"] = "http://shop.example.com/checkout/cart",
  }
  local body = nil
  local count = %d
  if %d > 0 then
    body = string.rep("x", %d)
    count = 200
  end
  for i = 1, count do
    headers["X-User-ID"] = "user-" .. i
    requests[i] = wrk.format(%q, nil, headers, body)
  end
end
function request()
  next = next %% #requests + 1
  return requests[next]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("bench: requests=%%d errors=%%d elapsed_us=%%d p50_us=%%d p99_us=%%d\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.duration, latency:percentile(50), latency:percentile(99)))
end
`

// writeWrkScript puts the scenario's script into dir.
func writeWrkScript(dir string, s scenario) (path string, err error) {
	method := "GET"
	if s.body > 0 {
		method = "POST"
	}
	path = filepath.Join(dir, s.name+".lua")
	return path, os.WriteFile(path, fmt.Appendf(nil, wrkScript, users, s.body, s.body, method), 0o600)
}

// drive loads a proxy for a while with the scenario's client.
func drive(ctx context.Context, dir string, cpu int, s scenario, address string, d time.Duration) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, d+30*time.Second)
	defer cancel()
	url := "http://" + address + s.path
	if s.rate > 0 {
		return driveRate(ctx, cpu, s, url, d)
	}
	script, err := writeWrkScript(dir, s)
	if err != nil {
		return load{}, err
	}
	// wrk knows whole seconds only.
	seconds := strconv.Itoa(int(max(1, d.Round(time.Second).Seconds())))
	cmd := command(ctx, cpu, "wrk", "-t1", "-c"+strconv.Itoa(s.conns), "-d"+seconds+"s", "--timeout", "10s", "-s", script, url)
	text, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, text)
	}
	return parseWrk(string(text))
}

var wrkLine = regexp.MustCompile(`(?m)^bench: requests=(\d+) errors=(\d+) elapsed_us=(\d+) p50_us=(\d+) p99_us=(\d+)$`)

func parseWrk(text string) (load, error) {
	found := wrkLine.FindStringSubmatch(text)
	if found == nil {
		return load{}, fmt.Errorf("no figures in what wrk printed:\n%s", strings.TrimSpace(text))
	}
	var n [5]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(found[i+1], 10, 64); err != nil {
			return load{}, err
		}
	}
	l := load{
		Requests: n[0], Errors: n[1], Elapsed: time.Duration(n[2]) * time.Microsecond,
		P50: time.Duration(n[3]) * time.Microsecond, P99: time.Duration(n[4]) * time.Microsecond,
	}
	if l.Requests == 0 || l.Elapsed == 0 {
		return l, errors.New("wrk got no answer at all")
	}
	return l, nil
}
