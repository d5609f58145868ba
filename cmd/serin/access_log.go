package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"serin/config"
	"serin/proxy"
)

const (
	// accessQueue lines wait for the disk at most; more are dropped and counted, for no request waits for a log.
	accessQueue = 4096
	// accessField is the most bytes written of one field of a client's.
	accessField = 1024
)

// accessLog writes one line for a sample of the requests, and for every failed one where asked. Lines are encoded by the
// request's goroutine into a recycled buffer and written by Run's.
type accessLog struct {
	format  string // json, clf, combined
	key     bool   // hashes of users' keys are written
	errors  bool
	sample  uint64 // of 2^32
	path    string
	out     io.Writer
	file    *os.File // nil for stdout and stderr
	lines   chan *[]byte
	spare   sync.Pool
	reopen  chan os.Signal
	dropped atomic.Uint64
}

var _ proxy.AccessLog = (*accessLog)(nil)

// newAccessLog opens the log. nil: there is none.
func newAccessLog(c *config.AccessLog) (*accessLog, error) {
	if c == nil {
		return nil, nil
	}
	l := &accessLog{
		format: c.Format, key: c.Key, errors: c.Errors, sample: uint64(c.Sample * (1 << 32)), path: c.Path,
		lines: make(chan *[]byte, accessQueue), reopen: make(chan os.Signal, 1),
	}
	l.spare.New = func() any { b := make([]byte, 0, 512); return &b }
	switch c.Path {
	case "stdout":
		l.out = os.Stdout
	case "stderr":
		l.out = os.Stderr
	default:
		if err := l.open(); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *accessLog) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("open the access log: %w", err)
	}
	if l.file != nil {
		err = l.file.Close()
	}
	l.file, l.out = file, file
	return err
}

// Log implements proxy.AccessLog.
func (l *accessLog) Log(e *proxy.Entry) {
	if uint64(rand.Uint32()) >= l.sample && !(l.errors && (e.Outcome.Bad() || e.Status >= 500)) {
		return
	}
	line := l.spare.Get().(*[]byte)
	switch l.format {
	case "json":
		*line = appendJSON((*line)[:0], e, l.key)
	case "combined":
		*line = appendArm(appendCombined(appendCommon((*line)[:0], e), e), e)
	default:
		*line = appendArm(appendCommon((*line)[:0], e), e)
	}
	select {
	case l.lines <- line:
	default:
		l.dropped.Add(1)
		l.spare.Put(line)
	}
}

// Run writes lines until ctx ends and then what is left. SIGUSR1 opens the file anew, for whoever rotates it.
func (l *accessLog) Run(ctx context.Context, log *slog.Logger) error {
	signal.Notify(l.reopen, syscall.SIGUSR1)
	defer signal.Stop(l.reopen)
	defer func() {
		if l.file != nil {
			l.file.Close()
		}
	}()
	told := false
	for {
		select {
		case line := <-l.lines:
			told = l.write(line, log, told)
		case <-l.reopen:
			if l.file == nil {
				continue
			}
			if err := l.open(); err != nil {
				log.Error("access log not reopened", "err", err)
			}
		case <-ctx.Done():
			for {
				select {
				case line := <-l.lines:
					told = l.write(line, log, told)
				default:
					return nil
				}
			}
		}
	}
}

// write reports whether a failure has been told; it is told once until a write succeeds again.
func (l *accessLog) write(line *[]byte, log *slog.Logger, told bool) bool {
	_, err := l.out.Write(*line)
	l.spare.Put(line)
	if err != nil && !told && !errors.Is(err, os.ErrClosed) {
		log.Error("access log not written", "err", err, "dropped", l.dropped.Load())
	}
	return err != nil
}

func appendJSON(b []byte, e *proxy.Entry, key bool) []byte {
	b = append(b, `{"time":"`...)
	b = e.Start.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	b = append(b, `","client":"`...)
	b = e.Client.AppendTo(b)
	b = append(b, '"')
	b = appendText(b, "method", e.Method)
	b = appendText(b, "host", e.Host)
	b = appendText(b, "target", e.Target)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	for _, f := range [...]struct{ name, value string }{
		{"route", e.Route}, {"rollout", e.Rollout}, {"upstream", e.Upstream}, {"server", e.Server},
	} {
		if f.value != "" {
			b = appendText(b, f.name, []byte(f.value))
		}
	}
	if e.Rollout != "" {
		b = appendText(b, "arm", []byte(e.Arm))
		b = appendText(b, "why", []byte(e.Why.String()))
	}
	b = appendMillis(b, "head_ms", e.Head)
	b = appendMillis(b, "total_ms", e.Total)
	b = append(b, `,"request_bytes":`...)
	b = strconv.AppendInt(b, e.RequestBytes, 10)
	b = append(b, `,"reply_bytes":`...)
	b = strconv.AppendInt(b, e.ReplyBytes, 10)
	if e.Retries > 0 {
		b = append(b, `,"retries":`...)
		b = strconv.AppendInt(b, int64(e.Retries), 10)
	}
	b = appendText(b, "user_agent", e.UserAgent)
	if key && e.Key != 0 {
		b = append(b, `,"key_hash":"`...)
		b = appendHex(b, e.Key)
		b = append(b, '"')
	}
	if e.Span.Trace != ([16]byte{}) {
		b = append(b, `,"trace_id":"`...)
		b = hex.AppendEncode(b, e.Span.Trace[:])
		b = append(b, '"')
	}
	return append(b, "}\n"...)
}

func appendHex(b []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

// appendCommon is the common log format of NCSA httpd: host, identity, user, time, request line, status, bytes.
func appendCommon(b []byte, e *proxy.Entry) []byte {
	b = e.Client.AppendTo(b)
	b = append(b, " - - ["...)
	b = e.Start.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = appendEscaped(b, e.Method)
	b = append(b, ' ')
	b = appendEscaped(b, e.Target)
	b = append(b, ` HTTP/1.1" `...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, ' ')
	return strconv.AppendInt(b, e.ReplyBytes, 10)
}

// appendCombined is what Apache's combined format has beyond the common one.
func appendCombined(b []byte, e *proxy.Entry) []byte {
	b = append(b, ` "`...)
	b = appendOrDash(b, e.Referer)
	b = append(b, `" "`...)
	b = appendOrDash(b, e.UserAgent)
	return append(b, '"')
}

// appendOrDash writes what is not there as Apache does.
func appendOrDash(b, value []byte) []byte {
	if len(value) == 0 {
		return append(b, '-')
	}
	return appendEscaped(b, value)
}

// appendArm ends a line of text with who answered: rollout/arm, or "-".
func appendArm(b []byte, e *proxy.Entry) []byte {
	b = append(b, ' ')
	if e.Rollout == "" {
		return append(b, "-\n"...)
	}
	b = append(b, e.Rollout...)
	b = append(b, '/')
	b = append(b, e.Arm...)
	return append(b, '\n')
}

func appendText(b []byte, name string, value []byte) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, `":"`...)
	b = appendEscaped(b, value)
	return append(b, '"')
}

func appendMillis(b []byte, name string, d time.Duration) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendFloat(b, math.Round(float64(d)/1e3)/1e3, 'f', -1, 64)
}

const hexDigits = "0123456789abcdef"

// appendEscaped writes a client's bytes so that a line stays one line and one JSON string: quotes, backslashes, control
// bytes and everything that is not ASCII are escaped, and what is too long is cut.
func appendEscaped(b, value []byte) []byte {
	cut := len(value) > accessField
	if cut {
		value = value[:accessField]
	}
	for _, c := range value {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	if cut {
		b = append(b, "..."...)
	}
	return b
}
