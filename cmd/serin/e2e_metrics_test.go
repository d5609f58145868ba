package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestE2E_Metrics_SeriesStayBounded sends 100,000 requests that no two of which are alike: paths, methods, hosts and keys
// are a client's to choose, and none of them may become a series.
func TestE2E_Metrics_SeriesStayBounded(t *testing.T) {
	t.Parallel()
	v1, v2 := startSample(t, "v1", behaviour{}), startSample(t, "v2", behaviour{})
	site := newSite(t)
	startDaemon(t, site, site.config(t, fmt.Sprintf(ladderOf5, v1.Address, v2.Address)))
	series := func() int {
		resp, err := http.Get("http://" + site.admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(body)) {
			if !strings.HasPrefix(line, "#") {
				n++
			}
		}
		return n
	}
	flood(t, site.listen, 100)
	before := series()
	flood(t, site.listen, 100_000)
	after := series()
	t.Logf("%d series before, %d after 100,000 requests", before, after)
	if after > before+20 { // reasons and classes that had not been seen
		t.Errorf("%d series became %d", before, after)
	}
}

// flood sends n requests, a hundred at a time on one connection.
func flood(t *testing.T, address string, n int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(3 * time.Minute))
	in := bufio.NewReader(conn)
	for sent := 0; sent < n; sent += 100 {
		var b strings.Builder
		for range 100 {
			r := rand.Uint64()
			fmt.Fprintf(&b, "M%X /%x/%x?q=%x HTTP/1.1\r\nHost: h%x.example\r\nX-User-Id: %x\r\nContent-Length: 0\r\n\r\n", r%100000, r, r>>7, r>>9, r>>11, r)
		}
		if _, err := io.WriteString(conn, b.String()); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
}
