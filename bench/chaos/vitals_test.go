package chaos

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vitals is what a process holds on to.
type vitals struct {
	RSS         int // KiB
	Descriptors int
	Goroutines  int
}

func (v vitals) String() string {
	return fmt.Sprintf("%.1f MiB, %d goroutines, %d descriptors", float64(v.RSS)/1024, v.Goroutines, v.Descriptors)
}

// vitals asks the kernel and /metrics.
func (d *daemon) vitals() vitals {
	d.t.Helper()
	m := d.metrics()
	pid := d.cmd.Process.Pid
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return vitals{RSS: residentKiB(d.t, pid), Descriptors: len(fds), Goroutines: int(m["go_goroutines"])}
}

// settled are the vitals once they are at most want (some seconds pass until idle connections and memory are given up),
// or the last ones seen within limit. Memory counts where want says any.
func (d *daemon) settled(want vitals, limit time.Duration) vitals {
	d.t.Helper()
	for until := time.Now().Add(limit); ; <-time.After(100 * time.Millisecond) {
		now := d.vitals()
		roomy := want.RSS == 0 || now.RSS <= want.RSS
		if roomy && now.Goroutines <= want.Goroutines && now.Descriptors <= want.Descriptors || time.Now().After(until) {
			return now
		}
	}
}

func residentKiB(t *testing.T, pid int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the kernel does not say VmRSS")
	return 0
}

// samples are /metrics by name with labels, as rendered.
type samples map[string]float64

func (d *daemon) metrics() samples {
	d.t.Helper()
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + d.site.admin + "/metrics")
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	m := samples{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		v, err := strconv.ParseFloat(value[strings.LastIndexByte(value, ' ')+1:], 64)
		if err != nil {
			d.t.Fatalf("metrics line %q: %v", lines.Text(), err)
		}
		m[name] = v
	}
	return m
}

// upstreamErrors is serin_upstream_errors_total of an upstream by reason.
func (m samples) upstreamErrors(upstream, reason string) float64 {
	return m[fmt.Sprintf(`serin_upstream_errors_total{upstream=%q,reason=%q}`, upstream, reason)]
}

// requests is serin_http_requests_total of the rollout shop.
func (m samples) requests(arm, class string) float64 {
	return m[fmt.Sprintf(`serin_http_requests_total{rollout="shop",arm=%q,code_class=%q}`, arm, class)]
}
