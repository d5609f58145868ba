package chaos

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// visit is one request to make.
type visit struct {
	ID     string
	User   string // X-User-Id; "" none
	Method string
	Size   int           // of the answer
	Upload int           // bytes of a body; 0: none
	Chunks bool          // the body goes in chunks
	Wait   time.Duration // of the service before it answers
	Fault  string        // what the service is to do, see service.answer
	Force  string        // arm, by the force header
}

// outcome is what its client saw of a visit.
type outcome struct {
	visit
	Began, Ended time.Time
	Status       int // 0: no answer
	Arm          string
	Broken       error         // of the answer, or of the connection before it
	Reused       bool          // the connection had carried an answer before
	Silent       time.Duration // how long the connection had been open when the request was on its way
	Dialled      error         // no connection at all
	Wrong        string
	Said         string // the beginning of an answer that is not 200
	Before       string // how the visit before on the same connection ended
}

// client is one keep-alive connection at a time, without any retry of its own: it sees what serin does.
type client struct {
	address string
	timeout time.Duration
	conn    net.Conn
	in      *bufio.Reader
	used    bool
	before  string
}

func newReader(c net.Conn) *bufio.Reader { return bufio.NewReaderSize(c, 2048) }

func newClient(address string) *client { return &client{address: address, timeout: 40 * time.Second} }

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// do makes the visit.
func (c *client) do(v visit) outcome {
	o := outcome{visit: v, Began: time.Now(), Before: c.before}
	c.exchange(&o)
	o.Ended = time.Now()
	c.before = fmt.Sprintf("%s %d (upload %d)", o.Method, o.Status, o.Upload)
	return o
}

func (c *client) exchange(o *outcome) {
	opened := time.Now()
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.address, 10*time.Second)
		if err != nil {
			o.Dialled = err
			return
		}
		c.conn, c.in, c.used = conn, newReader(conn), false
	}
	o.Reused = c.used
	_ = c.conn.SetDeadline(time.Now().Add(c.timeout))
	// An upload that breaks off may have been answered all the same.
	_, sendErr := c.conn.Write(o.request())
	o.Silent = time.Since(opened)
	resp, err := http.ReadResponse(c.in, &http.Request{Method: o.Method})
	if err != nil {
		o.Broken = errors.Join(sendErr, err)
		c.close()
		return
	}
	c.used = true
	o.Status, o.Arm = resp.StatusCode, resp.Header.Get("X-Arm")
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Broken = err
		c.close()
		return
	}
	if resp.Close || sendErr != nil {
		c.close()
	}
	if o.Status != http.StatusOK {
		o.Said = string(body[:min(len(body), 200)])
	} else {
		o.check(resp.Header.Get("X-Id"), body)
	}
}

// check compares a complete answer with the one that follows from the id.
func (o *outcome) check(id string, body []byte) {
	switch {
	case id != o.ID:
		o.Wrong = "the answer to " + id
	case o.Method != http.MethodHead && !bytes.Equal(body, download(o.ID, o.Size)):
		o.Wrong = fmt.Sprintf("%d bytes that are not the answer's %d, and look complete", len(body), o.Size)
	}
}

// request is the visit on the wire.
func (v *visit) request() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s /ledger/%s HTTP/1.1\r\nHost: shop.test\r\nX-Size: %d\r\n", v.Method, v.ID, v.Size)
	field := func(name, value string) {
		if value != "" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	field("X-User-Id", v.User)
	field("X-Fault", v.Fault)
	field("X-Serin-Arm", v.Force)
	if v.Wait > 0 {
		field("X-Wait", v.Wait.String())
	}
	if v.Upload == 0 {
		b.WriteString("\r\n")
		return b.Bytes()
	}
	body := upload(v.ID, v.Upload)
	field("X-Length", strconv.Itoa(v.Upload))
	if !v.Chunks {
		field("Content-Length", strconv.Itoa(v.Upload))
		b.WriteString("\r\n")
		b.Write(body)
		return b.Bytes()
	}
	field("Transfer-Encoding", "chunked")
	b.WriteString("\r\n")
	for len(body) > 0 {
		n := min(len(body), 1000)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// whole reports whether the answer came complete.
func (o *outcome) whole() bool { return o.Status != 0 && o.Broken == nil && o.Wrong == "" }

func (o *outcome) String() string {
	return fmt.Sprintf("%s %s of %s on arm %q: status %d %q, broken %v, dial %v, reused %v after %s, wrong %q, fault %q, upload %d in chunks %v, %v to %v",
		o.Method, o.ID, o.User, o.Arm, o.Status, o.Said, o.Broken, o.Dialled, o.Reused, o.Before, o.Wrong, o.Fault, o.Upload, o.Chunks,
		o.Began.Format("05.000"), o.Ended.Format("05.000"))
}
