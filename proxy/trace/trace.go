// Package trace sends the spans of requests to a collector: OTLP over HTTP in protobuf, as the OpenTelemetry specification
// (1.4x, "Protocol exporter", "SDK environment variables") names and defaults its settings. One span is the client's
// request to serin, its child is serin's to the upstream; attributes follow the stable HTTP semantic conventions, with
// serin.rollout and serin.arm beside them.
//
//	proxy -> Sample (parent-based) -> ... -> Log: encode, queue (bounded, never waits) -> Run: batch, POST, retry
//
// It is written here and not taken from the OpenTelemetry SDK, which adds 3 MB to the binary and allocates for each span.
package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"serin/proxy"
	"serin/proxy/wire"
)

// Exporter samples requests and sends their spans. All methods but Run are safe for concurrent use.
type Exporter struct {
	settings Settings
	client   *http.Client
	log      *slog.Logger
	head     []byte // resource and scope, encoded once
	queue    chan *[]byte
	spare    sync.Pool
	sent     atomic.Uint64
	dropped  atomic.Uint64
}

// Counts are spans since the start.
type Counts struct {
	Sent    uint64 // taken by the collector
	Dropped uint64 // lost: the queue was full, or the collector did not take them
}

var (
	_ proxy.Sampler   = (*Exporter)(nil)
	_ proxy.AccessLog = (*Exporter)(nil)
)

// New makes an exporter. version is serin's.
func New(s Settings, version string, log *slog.Logger) *Exporter {
	e := &Exporter{
		settings: s, log: log, head: resourceOf(s, version),
		client: &http.Client{Timeout: s.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		queue:  make(chan *[]byte, s.Queue),
	}
	e.spare.New = func() any { b := make([]byte, 0, 1024); return &b }
	return e
}

// Counts tells how the export went so far.
func (e *Exporter) Counts() Counts { return Counts{e.sent.Load(), e.dropped.Load()} }

// Sample implements proxy.Sampler: what the caller decided where the sampler is parent-based and there is a caller, else
// the ratio, by the trace's id, so that everybody in a trace who samples so decides alike.
func (e *Exporter) Sample(s *wire.Span) bool {
	if e.settings.ParentBased && s.Remote {
		return s.Sampled
	}
	bound := uint64(e.settings.Ratio * (1 << 63))
	return e.settings.Ratio >= 1 || binary.BigEndian.Uint64(s.Trace[8:])>>1 < bound
}

// Log implements proxy.AccessLog: it queues the spans of a sampled request, and of every one that the canary failed.
func (e *Exporter) Log(entry *proxy.Entry) {
	if !entry.Span.Sampled && !(entry.Arm == "canary" && entry.Outcome.Bad()) {
		return
	}
	b := e.spare.Get().(*[]byte)
	*b = appendSpans((*b)[:0], entry)
	select {
	case e.queue <- b:
	default:
		e.dropped.Add(spansOf(entry))
		e.spare.Put(b)
	}
}

// Run sends batches until ctx ends, and then what is left, for five seconds at most.
func (e *Exporter) Run(ctx context.Context) error {
	tick := time.NewTicker(e.settings.Delay)
	defer tick.Stop()
	batch := batch{body: append([]byte(nil), e.head...)}
	for {
		select {
		case b := <-e.queue:
			batch.add(*b)
			e.spare.Put(b)
			if batch.spans >= e.settings.Batch {
				e.send(ctx, &batch)
			}
		case <-tick.C:
			e.send(ctx, &batch)
		case <-ctx.Done():
			e.flush(&batch)
			return nil
		}
	}
}

// lastWords bounds what is sent at the end.
const lastWords = 5 * time.Second

func (e *Exporter) flush(b *batch) {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for {
		select {
		case one := <-e.queue:
			b.add(*one)
			if b.spans >= e.settings.Batch {
				e.send(ctx, b)
			}
		default:
			e.send(ctx, b)
			e.client.CloseIdleConnections()
			return
		}
	}
}

// batch gathers encoded spans; body begins with the exporter's head.
type batch struct {
	body  []byte
	spans int
}

func (b *batch) add(spans []byte) {
	b.body = append(b.body, spans...)
	for rest := spans; len(rest) > 0; b.spans++ {
		_, rest = nextSpan(rest)
	}
}

// send posts the batch, again a few times where the collector asks for patience, and empties it.
func (e *Exporter) send(ctx context.Context, b *batch) {
	if b.spans == 0 {
		return
	}
	defer func() { b.body, b.spans = b.body[:len(e.head)], 0 }()
	body := requestOf(b.body)
	wait := firstWait
	for try := 1; ; try++ {
		again, after, err := e.post(ctx, body)
		if err == nil {
			e.sent.Add(uint64(b.spans))
			return
		}
		if !again || try == mostTries || ctx.Err() != nil {
			e.dropped.Add(uint64(b.spans))
			e.log.Warn("spans not taken", "spans", b.spans, "tries", try, "err", err)
			return
		}
		pause := max(after, wait+rand.N(wait/2))
		wait *= 2
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

const (
	mostTries = 4
	firstWait = time.Second
	mostAfter = 30 * time.Second // of a Retry-After
)

// post says whether to try again, and after how long at least (OTLP 1.x, "Failures").
func (e *Exporter) post(ctx context.Context, body []byte) (again bool, after time.Duration, err error) {
	payload, encoding := body, ""
	if e.settings.Gzip {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(body) // to memory: cannot fail
		z.Close()
		payload, encoding = b.Bytes(), "gzip"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.settings.Endpoint, bytes.NewReader(payload))
	if err != nil {
		return false, 0, err
	}
	for name, value := range e.settings.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) { // without the address: it may carry credentials
			err = outer.Err
		}
		return true, 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil && resp.StatusCode/100 == 2 {
		return false, 0, fmt.Errorf("read the collector's answer: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64) // a date or nothing: our own pause
		return true, min(time.Duration(math.Max(0, seconds)*float64(time.Second)), mostAfter), errors.New("the collector answered " + resp.Status)
	}
	if resp.StatusCode/100 != 2 {
		return false, 0, errors.New("the collector answered " + resp.Status)
	}
	return false, 0, nil
}
