package proxy

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// splitLines iterates over a head's lines.
func splitLines(head string) func(func(string) bool) { return strings.SplitSeq(head, "\r\n") }

// pattern is n bytes whose every block of 4 KiB is at a different place of a period no power of two divides.
func pattern(n int64) io.Reader { return &patternReader{left: n} }

const period = 10007

var periodic = func() []byte {
	b := make([]byte, period+64<<10)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(b[:period])
	for n := period; n < len(b); n += period {
		copy(b[n:], b[:period])
	}
	return b
}()

type patternReader struct{ at, left int64 }

func (p *patternReader) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(int64(len(b)), p.left, 64<<10)], periodic[p.at%period:])
	p.at += int64(n)
	p.left -= int64(n)
	return n, nil
}

// isPattern reads all of r and wants exactly pattern(n).
func isPattern(t *testing.T, what string, r io.Reader, n int64) {
	t.Helper()
	b := make([]byte, 64<<10)
	for at := int64(0); ; {
		got, err := r.Read(b)
		if from := at % period; !bytes.Equal(b[:got], periodic[from:][:got]) {
			t.Errorf("%s: changed after byte %d", what, at)
			return
		}
		at += int64(got)
		if err == io.EOF && at == n {
			return
		}
		if err != nil {
			t.Errorf("%s: %d bytes of %d, then %v", what, at, n, err)
			return
		}
	}
}

// TestBody_NetHTTPBothSides moves bodies of many sizes through the proxy between two independent implementations, by length and
// chunked, and compares digests.
func TestBody_NetHTTPBothSides(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.URL.Query().Get("chunked") == "" {
			w.Header().Set("Content-Length", r.Header.Get("X-Size"))
		}
		for len(body) > 0 {
			n := min(len(body), 9973)
			_, _ = w.Write(body[:n])
			body = body[n:]
		}
	})}
	go func() { _ = server.Serve(up) }()
	t.Cleanup(func() { _ = server.Close() })
	r := newRig(t, rigOptions{stable: up})
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	for _, size := range []int{0, 1, 15000, 16384, 16385, 70000, 300_000, 3_000_000} {
		for _, chunked := range []string{"", "1"} {
			body, _ := io.ReadAll(pattern(int64(size)))
			var reader io.Reader = bytes.NewReader(body)
			if chunked != "" {
				reader = io.MultiReader(reader) // hides the length
			}
			request, _ := http.NewRequest(http.MethodPost, "http://"+r.address+"/?chunked="+chunked, reader)
			request.Header.Set("X-User-Id", "a")
			request.Header.Set("X-Size", itoa(size))
			response, err := client.Do(request)
			if err != nil {
				t.Fatalf("size %d chunked %q: %v", size, chunked, err)
			}
			got, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("size %d chunked %q: got %d bytes and %v, want the same back", size, chunked, len(got), err)
			}
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestBody_Large_NeedsNoMoreMemoryThanASmallOne(t *testing.T) {
	const size = 64 << 20
	up := listenLocal(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", itoa(size))
		isPattern(t, "upload", r.Body, size)
		_, _ = io.Copy(w, pattern(size))
	})}
	go func() { _ = server.Serve(up) }()
	t.Cleanup(func() { _ = server.Close() })
	r := newRig(t, rigOptions{stable: up})
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	request, _ := http.NewRequest(http.MethodPost, "http://"+r.address+"/", pattern(size))
	request.ContentLength = size
	request.Header.Set("X-User-Id", "a")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	isPattern(t, "download", response.Body, size)
	_ = response.Body.Close()
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
		t.Errorf("%d MB were allocated to move %d MB each way", allocated>>20, size>>20)
	}
}
