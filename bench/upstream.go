package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"strings"

	"serin/router"
)

const biggestAnswer = 1 << 20

// sizes are the answers there are: "/100" is 100 bytes of the pattern.
var sizes = []int{100, 10240, biggestAnswer}

// pattern is the body of every answer, as long as asked.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return b
}

// runUpstream is the process behind the proxies: as cheap as net.Conn allows, so that on a shared CPU it leaves the
// client room. Every answer says its arm in X-Arm; an answer to a body also how much arrived and its checksum.
func runUpstream(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench upstream", flag.ExitOnError)
	stable := flags.String("stable", "", "comma-separated addresses of the stable arm, host:port or unix:PATH")
	canary := flags.String("canary", "", "the same of the canary arm")
	_ = flags.Parse(args)

	failed := make(chan error, 1)
	for _, arm := range []struct{ name, addresses string }{{"stable", *stable}, {"canary", *canary}} {
		a := newAnswers(arm.name)
		for address := range strings.SplitSeq(arm.addresses, ",") {
			l, err := net.Listen(splitAddress(address))
			if err != nil {
				return err
			}
			defer l.Close()
			go func() { failed <- a.accept(l) }()
		}
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// splitAddress turns "unix:PATH" or "host:port" into what net.Dial takes.
func splitAddress(address string) (network, place string) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return "unix", path
	}
	return "tcp", address
}

// answers are one arm's, ready to be sent; immutable.
type answers struct {
	ready  map[string][]byte // by path
	absent []byte
}

func newAnswers(arm string) *answers {
	a := &answers{ready: map[string][]byte{}}
	for _, n := range sizes {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nX-Arm: %s\r\n\r\n", n, arm)
		a.ready["/"+strconv.Itoa(n)] = append([]byte(head), pattern(n)...)
	}
	a.absent = []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	return a
}

func (a *answers) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go a.serve(conn)
	}
}

// serve answers one connection's requests until it ends or makes no sense.
func (a *answers) serve(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 32<<10)
	have := 0
	for {
		end := bytes.Index(buf[:have], []byte("\r\n\r\n"))
		if end < 0 {
			if have == len(buf) {
				return
			}
			n, err := conn.Read(buf[have:])
			if have += n; err != nil {
				return
			}
			continue
		}
		used, err := a.exchange(conn, buf[:end+4], buf[end+4:have])
		if err != nil {
			return
		}
		have = copy(buf, buf[end+4+used:have])
	}
}

// exchange answers one request; used is how much of what follows the head was its body.
func (a *answers) exchange(conn net.Conn, head, after []byte) (used int, err error) {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	parts := bytes.SplitN(line, []byte(" "), 3)
	if len(parts) != 3 {
		return 0, errors.New("no request line")
	}
	answer, ok := a.ready[string(parts[1])]
	if !ok {
		answer = a.absent
	}
	length, ok := router.Field(fields, "Content-Length")
	if !ok {
		if _, chunked := router.Field(fields, "Transfer-Encoding"); chunked {
			return 0, errors.New("a chunked body")
		}
		_, err = conn.Write(answer)
		return 0, err
	}
	left, err := strconv.Atoi(string(length))
	if err != nil {
		return 0, err
	}
	used = min(left, len(after))
	sum := crc32.ChecksumIEEE(after[:used])
	if sum, err = sumRest(conn, sum, left-used); err != nil {
		return 0, err
	}
	head2, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	reply := fmt.Appendf(nil, "%s\r\nX-Received: %d\r\nX-Sum: %08x\r\n\r\n%s", head2, left, sum, body)
	_, err = conn.Write(reply)
	return used, err
}

// sumRest reads n more bytes of a body.
func sumRest(conn net.Conn, sum uint32, n int) (uint32, error) {
	var buf [16 << 10]byte
	for n > 0 {
		got, err := io.ReadFull(conn, buf[:min(n, len(buf))])
		if err != nil {
			return 0, err
		}
		sum = crc32.Update(sum, crc32.IEEETable, buf[:got])
		n -= got
	}
	return sum, nil
}
