package main

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	// maxHead is more than any case makes a proxy send.
	maxHead = 8 << 20
	// maxBody likewise.
	maxBody = 64 << 20
)

var (
	errHeadEndless = errors.New("a head without an end")
	errBodyEndless = errors.New("a body without an end")
)

// readHead reads a start line and fields. The message is nil when the connection ends before a byte of it.
func readHead(r *bufio.Reader) (*message, error) {
	m := &message{}
	line, err := m.readLine(r)
	if err != nil {
		return m.brokenHead(line, err)
	}
	m.line = line
	for size := 0; ; size += len(line) {
		if line, err = m.readLine(r); err != nil {
			return m.brokenHead(line, err)
		}
		if line == "" {
			return m, nil
		}
		if size > maxHead {
			return m.brokenHead(line, errHeadEndless)
		}
		if f, ok := m.parseField(line); ok {
			m.fields = append(m.fields, f)
		}
	}
}

func (m *message) brokenHead(line string, err error) (*message, error) {
	m.ended = err
	if m.line == "" && line == "" {
		return nil, err
	}
	return m, err
}

// readLine reads a line and notes what is no CRLF or may not be in it.
func (m *message) readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return line, err
	}
	body, crlf := strings.CutSuffix(line, "\r\n")
	if !crlf {
		m.fault("bare LF after %s", short(line))
		body = strings.TrimSuffix(line, "\n")
	}
	if i := strings.IndexAny(body, "\r\x00"); i >= 0 {
		m.fault("bare CR or NUL in %s", short(body))
	}
	return body, nil
}

// parseField splits a field line (RFC 9112 5).
func (m *message) parseField(line string) (field, bool) {
	if line[0] == ' ' || line[0] == '\t' {
		m.fault("folded line %s", short(line))
		return field{}, false
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(name) {
		m.fault("no field: %s", short(line))
		return field{}, false
	}
	return field{name, strings.Trim(value, " \t")}, true
}

// isToken is RFC 9110 5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// asRequest reads the request line and finds the body.
func (m *message) asRequest() {
	parts := strings.Split(m.line, " ")
	if len(parts) != 3 || !isToken(parts[0]) || parts[1] == "" || parts[2] != "HTTP/1.1" && parts[2] != "HTTP/1.0" {
		m.fault("no request line: %s", short(m.line))
	}
	if len(parts) == 3 {
		m.method, m.target, m.version = parts[0], parts[1], parts[2]
	}
	m.frame()
	if hosts := m.values("Host"); len(hosts) > 1 || len(hosts) == 0 && m.version != "HTTP/1.0" {
		m.fault("%d Host lines", len(hosts))
	}
}

// asResponse reads the status line and finds the body of the answer to a method.
func (m *message) asResponse(method string) {
	version, rest, _ := strings.Cut(m.line, " ")
	code, _, space := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || !space || version != "HTTP/1.1" && version != "HTTP/1.0" {
		m.fault("no status line: %s", short(m.line))
	}
	m.version, m.status = version, status
	m.frame()
	switch {
	case status < 200, status == 204:
		if m.framing != bodiless {
			m.fault("a %d with a framing field", status)
		}
		m.framing = bodiless
	case method == "HEAD" || status == 304 || method == "CONNECT" && status < 300:
		m.framing = bodiless
	case m.framing == bodiless:
		m.framing = byClose
	}
}

// frame reads Content-Length and Transfer-Encoding, refusing whatever has two readings (RFC 9112 6).
func (m *message) frame() {
	lengths, codings := m.values("Content-Length"), m.values("Transfer-Encoding")
	if len(lengths) > 0 && len(codings) > 0 {
		m.fault("both Content-Length and Transfer-Encoding")
	}
	if len(codings) > 0 {
		m.framing = byChunks
		if list := m.list("Transfer-Encoding"); len(list) != 1 || !strings.EqualFold(list[0], "chunked") {
			m.fault("Transfer-Encoding %q", codings)
		}
		return
	}
	if len(lengths) == 0 {
		return
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if len(lengths) > 1 || err != nil {
		m.fault("Content-Length %q", lengths)
	}
	m.framing, m.length = byLength, int64(n)
}

// readBody reads what is left of m.
func (m *message) readBody(r *bufio.Reader) {
	var body strings.Builder
	_, err := io.Copy(&body, io.LimitReader(m.bodyReader(r), maxBody))
	if err == nil && body.Len() == maxBody {
		err = errBodyEndless
	}
	m.body += body.String()
	m.whole, m.ended = err == nil, err
}

// bodyReader decodes m's body; io.EOF is its proper end.
func (m *message) bodyReader(r *bufio.Reader) io.Reader {
	switch m.framing {
	case byLength:
		return &lengthReader{r, m.length}
	case byChunks:
		return &chunkReader{m: m, r: r}
	case byClose:
		return r
	}
	return strings.NewReader("")
}

// lengthReader ends well after so many bytes only.
type lengthReader struct {
	r    *bufio.Reader
	left int64
}

func (l *lengthReader) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunkReader ends well after the trailer section only (RFC 9112 7.1).
type chunkReader struct {
	m      *message
	r      *bufio.Reader
	left   int64
	inside bool // a chunk's CRLF is due
	done   bool
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.left == 0 {
		if err := c.next(); err != nil {
			if err == io.EOF && !c.done {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads up to the next chunk's data; io.EOF with done after the last.
func (c *chunkReader) next() error {
	if c.done {
		return io.EOF
	}
	if c.inside {
		line, err := c.m.readLine(c.r)
		if err != nil {
			return err
		}
		if line != "" {
			c.m.fault("%s after a chunk", short(line))
		}
	}
	line, err := c.m.readLine(c.r)
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 62)
	if err != nil {
		c.m.fault("chunk size %s", short(line))
		return err
	}
	if c.left, c.inside = int64(n), true; n > 0 {
		return nil
	}
	for {
		if line, err = c.m.readLine(c.r); err != nil {
			return err
		}
		if line == "" {
			c.done = true
			return io.EOF
		}
		if f, ok := c.m.parseField(line); ok {
			c.m.trailers = append(c.m.trailers, f)
		}
	}
}
