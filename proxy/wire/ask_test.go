package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"serin/proxy/socket"
)

// reply reads n bytes from far and writes text.
func reply(far net.Conn, n int, text string) {
	_, _ = io.ReadFull(far, make([]byte, n))
	_, _ = io.WriteString(far, text)
}

func TestAsk_SendsAndGetsTheAnswersFirstBytes(t *testing.T) {
	t.Parallel()
	d, _, far := connection(t)
	for _, text := range []string{"hello", "again"} {
		go reply(far, len("question"), text)
		told := 0
		n, err := d.Ask([]byte("question"), func() { told++ })
		if n != len("question") || err != nil || string(d.Bytes()) != text || told != 1 {
			t.Errorf("got %d, %v, %q, told %d times, want %q", n, err, d.Bytes(), told, text)
		}
		d.Discard(d.Buffered())
	}
}

func TestAsk_NotQuiet_SendsNothing(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*net.TCPConn){
		"bytes":    func(c *net.TCPConn) { _, _ = c.Write([]byte("x")) },
		"end":      func(c *net.TCPConn) { _ = c.CloseWrite() },
		"seen end": func(c *net.TCPConn) { _ = c.CloseWrite() },
		"reset":    func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
	} {
		d, near, far := connection(t)
		disturb(far.(*net.TCPConn))
		if name == "seen end" {
			_, _ = d.Fill(0)
		} else if err := d.raw.Read(func(fd uintptr) bool { return !socket.Quiet(fd) }); err != nil {
			t.Fatal(err)
		}
		if n, err := d.Ask([]byte("question"), nil); n != 0 || err != ErrNotQuiet {
			t.Errorf("%s: got %d and %v, want ErrNotQuiet", name, n, err)
		}
		_ = near.Close()
		if got, _ := io.ReadAll(far); len(got) > 0 {
			t.Errorf("%s: %q was sent", name, got)
		}
	}
}

func TestAsk_MoreThanTheKernelTakes_IsLeftToTheCaller(t *testing.T) {
	t.Parallel()
	d, near, far := connection(t)
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	n, err := d.Ask(message, func() { t.Error("told that all is sent") })
	if n <= 0 || n >= len(message) || err != nil {
		t.Fatalf("got %d of %d and %v, want a part", n, len(message), err)
	}
	go func() {
		got := make([]byte, len(message))
		if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, message) {
			t.Errorf("the message came changed: %v", err)
		}
		_, _ = io.WriteString(far, "hello")
	}()
	if _, err := near.Write(message[n:]); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Fill(0); err != nil || string(d.Bytes()) != "hello" {
		t.Errorf("got %q and %v, want hello", d.Bytes(), err)
	}
}

func TestAsk_NoAnswer_SaysWhyAndHowMuchWasSent(t *testing.T) {
	t.Parallel()
	f := func(name string, until time.Time, then func(near, far net.Conn), sent int, want error) {
		t.Helper()
		d, near, far := connection(t)
		_ = near.SetReadDeadline(until)
		if then != nil {
			go func() { reply(far, len("question"), ""); then(near, far) }()
		}
		if n, err := d.Ask([]byte("question"), nil); n != sent || !errors.Is(err, want) || d.EOF() != (want == io.EOF) {
			t.Errorf("%s: got %d and %v, want %d and %v", name, n, err, sent, want)
		}
	}
	past := time.Unix(1, 0)
	f("silence", time.Time{}, func(near, _ net.Conn) { _ = near.SetReadDeadline(past) }, 8, os.ErrDeadlineExceeded)
	f("interrupted before", past, nil, 0, os.ErrDeadlineExceeded)
	f("end", time.Time{}, func(_, far net.Conn) { _ = far.Close() }, 8, io.EOF)
	f("reset", time.Time{}, func(_, far net.Conn) { _ = far.(*net.TCPConn).SetLinger(0); _ = far.Close() }, 8, syscall.ECONNRESET)
}
