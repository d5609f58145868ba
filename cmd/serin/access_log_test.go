package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"serin/config"
	"serin/gate/window"
	"serin/proxy"
)

func loggedEntry() *proxy.Entry {
	return &proxy.Entry{
		Start: time.Date(2026, 11, 20, 14, 2, 11, 5e6, time.UTC), Client: netip.MustParseAddr("192.0.2.7"),
		Method: []byte("GET"), Target: []byte("/basket?a=1"), Host: []byte("shop.example"), UserAgent: []byte("curl/8"), Referer: []byte("https://x/"),
		Status: 200, Outcome: window.Success, Route: "shop", Rollout: "checkout", Arm: "canary", Upstream: "v2", Server: "10.0.0.1:9000",
		Head: 12 * time.Millisecond, Total: 15 * time.Millisecond, ReplyBytes: 5316, Key: 0xfeed,
	}
}

// lineOf is what a log writes of an entry.
func lineOf(c config.AccessLog, e *proxy.Entry) string {
	l := &accessLog{format: c.Format, key: c.Key, errors: c.Errors, sample: uint64(c.Sample * (1 << 32)), lines: make(chan *[]byte, 1)}
	l.spare.New = func() any { b := []byte(nil); return &b }
	l.Log(e)
	select {
	case b := <-l.lines:
		return string(*b)
	default:
		return ""
	}
}

func TestAccessLog_Formats_AreTheFields(t *testing.T) {
	for format, want := range map[string]string{
		"clf":      `192.0.2.7 - - [20/Nov/2026:14:02:11 +0000] "GET /basket?a=1 HTTP/1.1" 200 5316 checkout/canary` + "\n",
		"combined": `192.0.2.7 - - [20/Nov/2026:14:02:11 +0000] "GET /basket?a=1 HTTP/1.1" 200 5316 "https://x/" "curl/8" checkout/canary` + "\n",
	} {
		if got := lineOf(config.AccessLog{Format: format, Sample: 1}, loggedEntry()); got != want {
			t.Errorf("%s: got %s want %s", format, got, want)
		}
	}
	bare := loggedEntry()
	bare.Referer, bare.UserAgent = nil, nil
	if got := lineOf(config.AccessLog{Format: "combined", Sample: 1}, bare); !strings.Contains(got, ` 200 5316 "-" "-" `) {
		t.Errorf("without referer and agent: got %s", got)
	}
	// The pattern of the tools that read combined lines.
	combined := regexp.MustCompile(`^(\S+) (\S+) (\S+) \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"`)
	if !combined.MatchString(lineOf(config.AccessLog{Format: "combined", Sample: 1}, loggedEntry())) {
		t.Error("no combined line")
	}
}

func TestAccessLog_JSON_HasTheKeyOnlyAsAHash(t *testing.T) {
	e := loggedEntry()
	e.Span.Trace = [16]byte{0xab, 15: 1}
	for _, key := range []bool{true, false} {
		var got map[string]any
		if err := json.Unmarshal([]byte(lineOf(config.AccessLog{Format: "json", Sample: 1, Key: key}, e)), &got); err != nil {
			t.Fatal(err)
		}
		if got["status"] != 200.0 || got["arm"] != "canary" || got["target"] != "/basket?a=1" || got["head_ms"] != 12.0 || got["trace_id"] != "ab000000000000000000000000000001" {
			t.Errorf("got %v", got)
		}
		if hash, there := got["key_hash"]; there != key || key && hash != "000000000000feed" {
			t.Errorf("key %v: got %v", key, hash)
		}
	}
}

func TestAccessLog_BytesOfAClient_CannotForgeALine(t *testing.T) {
	for _, format := range []string{"json", "clf", "combined"} {
		e := loggedEntry()
		e.Target = []byte("/\xff\x00\"}\r\n{\"forged\":1} ")
		e.UserAgent, e.Referer = []byte("a\nb\x1b[2J\\"), []byte("\u2028\"")
		e.Host = []byte(strings.Repeat("h", 5000))
		line := lineOf(config.AccessLog{Format: format, Sample: 1}, e)
		for i, c := range []byte(line) {
			if (c < ' ' || c >= 0x7f) && !(c == '\n' && i == len(line)-1) {
				t.Errorf("%s: byte %#x in %q", format, c, line)
			}
		}
		if format == "json" && !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
		if len(line) > 4000 {
			t.Errorf("%s: %d bytes", format, len(line))
		}
	}
}

func TestAccessLog_Sample_KeepsErrors(t *testing.T) {
	bad := loggedEntry()
	bad.Status, bad.Outcome = 502, window.Reset
	if lineOf(config.AccessLog{Format: "json", Errors: true}, bad) == "" {
		t.Error("an error is not written")
	}
	if lineOf(config.AccessLog{Format: "json"}, bad) != "" || lineOf(config.AccessLog{Format: "json", Errors: true}, loggedEntry()) != "" {
		t.Error("a sample of 0 writes")
	}
}

func TestAccessLog_QueueIsFull_DropsAndCounts(t *testing.T) {
	l := &accessLog{format: "json", sample: 1 << 32, lines: make(chan *[]byte, 2)}
	l.spare.New = func() any { b := []byte(nil); return &b }
	for range 5 {
		l.Log(loggedEntry())
	}
	if got := l.dropped.Load(); got != 3 {
		t.Errorf("%d dropped, want 3", got)
	}
}

func TestAccessLog_Log_AllocatesNothing(t *testing.T) {
	for _, format := range []string{"json", "clf", "combined"} {
		l, e := &accessLog{format: format, key: true, sample: 1 << 32, lines: make(chan *[]byte)}, loggedEntry()
		buffer := make([]byte, 0, 2048) // the race detector has pools forget: they shall find it again
		l.spare.New = func() any { return &buffer }
		l.Log(e)
		if n := testing.AllocsPerRun(500, func() { l.Log(e) }); n > 0 {
			t.Errorf("%s: %v allocations", format, n)
		}
	}
}

func TestAccessLog_USR1_WritesToTheNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := newAccessLog(&config.AccessLog{Path: path, Format: "clf", Sample: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, slog.New(slog.DiscardHandler)) }()
	l.Log(loggedEntry())
	await(t, func() bool { b, _ := os.ReadFile(path); return len(b) > 0 })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.reopen <- syscall.SIGUSR1 // as signal.Notify does
	await(t, func() bool { _, err := os.Stat(path); return err == nil })
	l.Log(loggedEntry())
	cancel()
	<-done
	for _, name := range []string{path, path + ".1"} {
		if b, err := os.ReadFile(name); err != nil || strings.Count(string(b), "\n") != 1 {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
}

// await looks until it is so, ten seconds at most.
func await(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatal("never came so")
		}
		<-time.After(time.Millisecond)
	}
}

func FuzzAccessLog(f *testing.F) {
	f.Add([]byte("/a"), []byte("agent"), uint8(0))
	f.Add([]byte("\"\\\n\x7f\xff"), []byte("\x00"), uint8(1))
	formats := []string{"json", "clf", "combined"}
	f.Fuzz(func(t *testing.T, target, agent []byte, format uint8) {
		e := loggedEntry()
		e.Target, e.UserAgent, e.Referer, e.Host = target, agent, agent, target
		name := formats[int(format)%len(formats)]
		line := lineOf(config.AccessLog{Format: name, Sample: 1, Key: true}, e)
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("not one line: %q", line)
		}
		if name == "json" && !json.Valid([]byte(line)) {
			t.Fatalf("no JSON: %q", line)
		}
	})
}
