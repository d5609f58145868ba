package main

import (
	"fmt"
	"strconv"
	"strings"
)

// field is one field line.
type field struct{ name, value string }

// message is a request or a response as the strict reader saw it.
type message struct {
	line     string // start line, without its end
	fields   []field
	framing  framing
	length   int64
	body     string
	trailers []field
	faults   []string // what RFC 9112 does not allow
	whole    bool     // read to the end of its body
	ended    error    // why reading broke off
	interim  []*message
	conn     int // of the upstream's connections in this case, from 0

	method, target, version string // of requests
	status                  int    // of responses
}

// framing is how a body ends.
type framing uint8

const (
	bodiless framing = iota
	byLength
	byChunks
	byClose
)

func (f framing) String() string { return [...]string{"none", "length", "chunks", "close"}[f] }

// values are those of all lines called name.
func (m *message) values(name string) []string {
	var out []string
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			out = append(out, f.value)
		}
	}
	return out
}

// list is the elements of all lines called name, as one list (RFC 9110 5.3).
func (m *message) list(name string) []string {
	var out []string
	for _, v := range m.values(name) {
		for e := range strings.SplitSeq(v, ",") {
			if e = strings.Trim(e, " \t"); e != "" {
				out = append(out, e)
			}
		}
	}
	return out
}

func (m *message) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

// sound says why m is no flawless whole message; nil when it is.
func (m *message) sound() error {
	switch {
	case len(m.faults) > 0:
		return fmt.Errorf("%s: %s", short(m.line), strings.Join(m.faults, "; "))
	case !m.whole:
		return fmt.Errorf("%s: broke off: %v", short(m.line), m.ended)
	}
	return nil
}

func (m *message) String() string {
	var b strings.Builder
	b.WriteString(short(m.line))
	for _, f := range m.fields {
		b.WriteString(" | " + short(f.name+": "+f.value))
	}
	fmt.Fprintf(&b, " | %s %s", m.framing, short(m.body))
	if !m.whole {
		b.WriteString(" broken off")
	}
	return b.String()
}

// short quotes the beginning of s.
func short(s string) string {
	const most = 120
	if len(s) > most {
		return fmt.Sprintf("%q... (%d bytes)", s[:most], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// lines joins the lines of a head and ends it.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n\r\n" }

// host is the Host line of most requests.
const host = "Host: example.test"

// get is a GET of / with more lines.
func get(more ...string) string { return lines(append([]string{"GET / HTTP/1.1", host}, more...)...) }

// post is the head of a POST to / with more lines.
func post(more ...string) string {
	return lines(append([]string{"POST / HTTP/1.1", host}, more...)...)
}

// ok is a 200 with more lines and a body of two bytes.
func ok(more ...string) string {
	return lines(append(append([]string{"HTTP/1.1 200 OK"}, more...), "Content-Length: 2")...) + "ok"
}

func itoa(n int) string { return strconv.Itoa(n) }

func hex(n int) string { return strconv.FormatInt(int64(n), 16) }

// xs is n times x.
func xs(n int) string { return strings.Repeat("x", n) }
