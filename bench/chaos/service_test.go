package chaos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// service is one server of an arm: net/http, so that what serin meets is not of serin's making. It may be killed and
// started again on its address.
type service struct {
	t       testing.TB
	arm     string
	address string
	archive *archive
	extra   http.Handler  // for paths other than /ledger/; may be nil
	idle    time.Duration // a connection is closed after; 0: never

	sendBuffer int // of the kernel's for a connection, bytes; 0: its choice

	mu     sync.Mutex
	server *http.Server     // guarded by mu, as is the rest; nil while down
	gone   chan struct{}    // closed when the server's goroutine has ended
	conns  map[net.Conn]any // of the server
}

// archive is what services received, by the id of the request.
type archive struct {
	mu   sync.Mutex
	seen map[string]*arrival // guarded by mu
}

// arrival is one id as the services saw it.
type arrival struct {
	method string
	times  int      // heads received
	whole  int      // bodies received whole and right
	wrong  string   // what was wrong with one that looked whole
	arms   []string // in order of arrival
}

func newArchive() *archive { return &archive{seen: make(map[string]*arrival)} }

func (a *archive) arrived(id, method, arm string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.seen[id]
	if r == nil {
		r = &arrival{method: method}
		a.seen[id] = r
	}
	r.times++
	r.arms = append(r.arms, arm)
}

func (a *archive) body(id string, wrong string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if wrong == "" {
		a.seen[id].whole++
		return
	}
	a.seen[id].wrong = wrong
}

// get is a copy of what is known of an id.
func (a *archive) get(id string) arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.seen[id]; r != nil {
		return *r
	}
	return arrival{}
}

// startService starts a service of an arm and stops it at the test's end.
func startService(t testing.TB, arm string, a *archive) *service {
	t.Helper()
	s := &service{t: t, arm: arm, archive: a, address: ownIP() + ":0"}
	s.up()
	t.Cleanup(func() { s.kill(false) })
	return s
}

// up listens on the service's address, again.
func (s *service) up() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = l.Addr().String()
	server := &http.Server{Handler: s, ConnState: s.connState, IdleTimeout: s.idle}
	gone := make(chan struct{})
	s.mu.Lock()
	s.server, s.gone, s.conns = server, gone, make(map[net.Conn]any)
	s.mu.Unlock()
	go func() {
		defer close(gone)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.t.Errorf("service %s: %v", s.arm, err)
		}
	}()
}

func (s *service) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = nil
		if tcp, ok := c.(*net.TCPConn); ok && s.sendBuffer > 0 {
			_ = tcp.SetWriteBuffer(s.sendBuffer)
		}
	case http.StateClosed:
		delete(s.conns, c)
	}
}

// kill ends the service at once: connections are closed, with a reset when hard. Its port refuses from then on.
func (s *service) kill(hard bool) {
	s.mu.Lock()
	server, gone := s.server, s.gone
	s.server = nil
	for c := range s.conns {
		if tcp, ok := c.(*net.TCPConn); ok && hard {
			_ = tcp.SetLinger(0)
		}
	}
	s.mu.Unlock()
	if server == nil {
		return
	}
	_ = server.Close()
	<-gone
}

// retire ends the service as a deployment does: what is under way is finished.
func (s *service) retire() {
	s.mu.Lock()
	server, gone := s.server, s.gone
	s.server = nil
	s.mu.Unlock()
	if server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = server.Shutdown(ctx)
	_ = server.Close()
	<-gone
}

// connections is how many are open.
func (s *service) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// ServeHTTP answers /ledger/ID with the body that follows from the id.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutPrefix(r.URL.Path, "/ledger/")
	if !ok {
		if s.extra != nil {
			s.extra.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
		return
	}
	s.archive.arrived(id, r.Method, s.arm)
	if r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // visibly broken for us: no answer, and no record of a whole body
		}
		wrong := ""
		if want := upload(id, len(body)); string(body) != string(want) || r.Header.Get("X-Length") != strconv.Itoa(len(body)) {
			wrong = fmt.Sprintf("%d bytes, announced %s", len(body), r.Header.Get("X-Length"))
		}
		s.archive.body(id, wrong)
	}
	if wait, err := time.ParseDuration(r.Header.Get("X-Wait")); err == nil {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	s.answer(w, r, id)
}

// answer obeys X-Fault and X-Size. A fault that is to be seen once only is not repeated when the request comes again.
func (s *service) answer(w http.ResponseWriter, r *http.Request, id string) {
	fault := r.Header.Get("X-Fault")
	if s.archive.get(id).times > 1 && strings.HasSuffix(fault, "-once") {
		fault = ""
	}
	size, err := strconv.Atoi(r.Header.Get("X-Size"))
	if err != nil {
		size = 100
	}
	body := download(id, size)
	w.Header().Set("X-Arm", s.arm)
	w.Header().Set("X-Id", id)
	switch strings.TrimSuffix(fault, "-once") {
	case "reset":
		hangUp(w, "", true)
		return
	case "error":
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintln(w, "asked for")
		return
	case "garbage":
		hangUp(w, "HTTP/9.9 what\r\n\r\n", false)
		return
	case "cut":
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Arm: %s\r\nX-Id: %s\r\nContent-Length: %d\r\n\r\n", s.arm, id, size)
		hangUp(w, head+string(body[:size/2]), false)
		return
	case "cut-chunked":
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Arm: %s\r\nX-Id: %s\r\nTransfer-Encoding: chunked\r\n\r\n", s.arm, id)
		hangUp(w, fmt.Sprintf("%s%x\r\n%s\r\n", head, size/2, body[:size/2]), false)
		return
	}
	if len(id)%2 == 0 || size > 1<<20 {
		w.Header().Set("Content-Length", strconv.Itoa(size))
	}
	_, _ = w.Write(body[:size/2])
	if size > 4096 {
		w.(http.Flusher).Flush()
	}
	_, _ = w.Write(body[size/2:])
}

// hangUp writes raw bytes and ends the connection.
func hangUp(w http.ResponseWriter, raw string, reset bool) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, raw)
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// download and upload are the bodies of an id: nobody has to keep them to know them.
func download(id string, size int) []byte { return bytesOf("down "+id, size) }
func upload(id string, size int) []byte   { return bytesOf("up "+id, size) }

func bytesOf(label string, size int) []byte {
	b := make([]byte, size+8)
	r := rand.New(rand.NewPCG(uint64(crc32.ChecksumIEEE([]byte(label))), 1))
	for i := 0; i < size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b[:size]
}

// ids are unique in the test process.
var lastID atomic.Int64

func newID() string { return strconv.FormatInt(lastID.Add(1), 10) }

// isReset reports whether a connection was reset.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
