package proxy

import (
	"bytes"
	"crypto/sha256"
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

// pattern is n bytes that no shift of themselves equals, made as they are read.
func pattern(n int64) io.Reader {
	source := rand.NewChaCha8([32]byte{1})
	return io.LimitReader(source, n)
}

func sum(t *testing.T, r io.Reader) ([32]byte, int64) {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Error(err)
	}
	return [32]byte(h.Sum(nil)), n
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
		digest, n := sum(t, r.Body)
		want, _ := sum(t, pattern(size))
		if n != size || digest != want {
			t.Errorf("the upload arrived as %d bytes, or changed", n)
		}
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
	digest, n := sum(t, response.Body)
	_ = response.Body.Close()
	runtime.ReadMemStats(&after)
	want, _ := sum(t, pattern(size))
	if n != size || digest != want {
		t.Errorf("the download arrived as %d bytes, or changed", n)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
		t.Errorf("%d MB were allocated to move %d MB each way", allocated>>20, size>>20)
	}
}
