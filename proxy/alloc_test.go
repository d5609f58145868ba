//go:build !race

// The race detector makes sync.Pool forget on purpose: allocations are counted without it.

package proxy

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
)

// echoServer answers every request on every connection of l with the same bytes: it reads heads up to the blank line, and
// bodies by their Content-Length. It allocates nothing per request, so that what is measured is the proxy.
func echoServer(l net.Listener, answer []byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			buffer := make([]byte, 64<<10)
			held := 0
			for {
				n, err := conn.Read(buffer[held:])
				if err != nil {
					return
				}
				held += n
				for {
					used := wholeRequest(conn, buffer, held)
					if used == 0 {
						break
					}
					if used > held {
						used = held
					}
					held = copy(buffer, buffer[used:held])
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}
		}()
	}
}

// wholeRequest is the length of the request at the start of buffer; a body that is still coming is read and dropped.
func wholeRequest(conn net.Conn, buffer []byte, held int) int {
	end := bytes.Index(buffer[:held], []byte("\r\n\r\n"))
	if end < 0 {
		return 0
	}
	end += 4
	length := 0
	if i := bytes.Index(buffer[:end], []byte("Content-Length: ")); i >= 0 {
		i += len("Content-Length: ")
		for ; buffer[i] >= '0' && buffer[i] <= '9'; i++ {
			length = length*10 + int(buffer[i]-'0')
		}
	}
	rest := end + length - held
	for spare := buffer[held:]; rest > 0; {
		n, err := conn.Read(spare[:min(rest, len(spare))])
		if err != nil {
			return 0
		}
		rest -= n
	}
	return end + length
}

// benchHead is a request head of the size browsers send.
var benchHead = "GET /checkout/basket?step=2 HTTP/1.1\r\nHost: shop.example.com\r\nX-User-Id: user-000123\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n"

func answerOf(size int) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
}

// roundTrip sends one request and reads the answer's head and size bytes, without allocating.
func roundTrip(conn net.Conn, request, buffer []byte, size int) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	held := 0
	for {
		n, err := conn.Read(buffer[held:])
		if err != nil {
			return err
		}
		held += n
		if end := bytes.Index(buffer[:held], []byte("\r\n\r\n")); end >= 0 {
			for rest := size - (held - end - 4); rest > 0; {
				n, err := conn.Read(buffer[:min(rest, len(buffer))])
				if err != nil {
					return err
				}
				rest -= n
			}
			return nil
		}
	}
}

func TestProxy_PlainRequestOnKeepAlive_AllocatesNothing(t *testing.T) {
	postHead := strings.TrimSuffix(strings.Replace(benchHead, "GET", "POST", 1), "\r\n")
	for name, request := range map[string]string{
		"GET":  benchHead,
		"POST": postHead + "Content-Length: 1000\r\n\r\n" + strings.Repeat("y", 1000),
	} {
		up := listenLocal(t)
		go echoServer(up, answerOf(100))
		r := newRig(t, rigOptions{stable: up})
		client := r.dial()
		message, buffer := []byte(request), make([]byte, 4096)
		trip := func() {
			if err := roundTrip(client.Conn, message, buffer, 100); err != nil {
				t.Fatal(err)
			}
		}
		for range 100 {
			trip()
		}
		if n := testing.AllocsPerRun(2000, trip); n != 0 {
			t.Errorf("%s: got %v allocations per request, want 0", name, n)
		}
		if n := r.asked(); n < 2000 {
			t.Errorf("%s: %d requests went by the lane, want all but the first", name, n)
		}
	}
}

func BenchmarkProxy_Forward(b *testing.B) {
	for _, size := range []int{100, 10 << 10, 1 << 20} {
		b.Run("get/body="+strconv.Itoa(size), func(b *testing.B) {
			benchForward(b, []byte(benchHead), size)
		})
	}
	body := strings.Repeat("y", 10<<10)
	post := strings.Replace(benchHead, "GET", "POST", 1)
	post = strings.TrimSuffix(post, "\r\n") + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	b.Run("post/body=10240", func(b *testing.B) { benchForward(b, []byte(post), 100) })
}

func benchForward(b *testing.B, request []byte, size int) {
	up, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer up.Close()
	go echoServer(up, answerOf(size))
	r := newRig(b, rigOptions{stable: up})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", r.address)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		buffer := make([]byte, 64<<10)
		for pb.Next() {
			if err := roundTrip(conn, request, buffer, size); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkProxy_Stream moves one endless body in portions of a gibibyte; B/op shows what a gibibyte costs in memory.
func BenchmarkProxy_Stream(b *testing.B) {
	const portion = 1 << 30
	up, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer up.Close()
	go func() {
		conn, err := up.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		block := make([]byte, 256<<10)
		_, _ = conn.Read(block)
		_, err = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		for err == nil {
			_, err = conn.Write(block)
		}
	}()
	r := newRig(b, rigOptions{stable: up})
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(benchHead)); err != nil {
		b.Fatal(err)
	}
	buffer := make([]byte, 256<<10)
	b.SetBytes(portion)
	b.ReportAllocs()
	for b.Loop() {
		for left := portion; left > 0; {
			n, err := conn.Read(buffer[:min(left, len(buffer))])
			if err != nil {
				b.Fatal(err)
			}
			left -= n
		}
	}
}
