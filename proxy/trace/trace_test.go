package trace

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"serin/gate/window"
	"serin/proxy"
	"serin/proxy/wire"
)

// receiver is an OTLP collector that reads with OpenTelemetry's own messages.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int // statuses to give first
	got     []*otlp.ResourceSpans
	headers []http.Header
	came    chan struct{}
}

func newReceiver(t *testing.T, answers ...int) *receiver {
	r := &receiver{answers: answers, came: make(chan struct{}, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var body io.Reader = req.Body
		if req.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(req.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		var m otlp.TracesData // field for field an ExportTraceServiceRequest
		if err := proto.Unmarshal(raw, &m); err != nil {
			t.Errorf("OpenTelemetry cannot read it: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.headers = append(r.headers, req.Header)
		defer func() { r.came <- struct{}{} }()
		if len(r.answers) > 0 {
			status := r.answers[0]
			r.answers = r.answers[1:]
			w.WriteHeader(status)
			return
		}
		if req.URL.Path != "/v1/traces" {
			t.Errorf("posted to %s", req.URL.Path)
		}
		r.got = append(r.got, m.ResourceSpans...)
	}))
	t.Cleanup(r.Close)
	return r
}

// spans are all that came so far, flattened.
func (r *receiver) spans() (out []*otlp.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rs := range r.got {
		for _, ss := range rs.ScopeSpans {
			out = append(out, ss.Spans...)
		}
	}
	return out
}

func text(list []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range list {
		switch v := kv.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[kv.Key] = "#" + strconv.FormatInt(v.IntValue, 10)
		}
	}
	return out
}

func exporterTo(t *testing.T, url string, vars map[string]string) (*Exporter, func()) {
	t.Helper()
	s, ok, err := FromEnv(func(name string) string {
		if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
			return url
		}
		return vars[name]
	})
	if err != nil || !ok {
		t.Fatalf("%v %v", ok, err)
	}
	e := New(s, "1.2.3", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return e, func() { cancel(); <-done }
}

func entry() *proxy.Entry {
	e := &proxy.Entry{
		Start: time.Unix(1700000000, 123), Peer: netip.MustParseAddr("10.0.0.9"), Client: netip.MustParseAddr("192.0.2.7"),
		Method: []byte("GET"), Target: []byte("/basket?token=secret"), Host: []byte("shop.example:8443"), UserAgent: []byte("curl/8"),
		Status: 500, Outcome: window.ServerError, Rollout: "checkout", Arm: "canary", Upstream: "v2", Server: "https://10.0.0.22:9443",
		Total: 20 * time.Millisecond, Sent: time.Millisecond, Secure: true, Retries: 1,
	}
	e.Span = wire.Span{Sampled: true, Remote: true}
	hex.Decode(e.Span.Trace[:], []byte("0af7651916cd43dd8448eb211c80319c"))
	hex.Decode(e.Span.Parent[:], []byte("b7ad6b7169203331"))
	e.Span.Server, e.Span.Client = [8]byte{1}, [8]byte{2}
	return e
}

func TestExporter_FailedCanaryRequest_IsTwoSpansByTheConventions(t *testing.T) {
	r := newReceiver(t)
	e, stop := exporterTo(t, r.URL, map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod", "OTEL_SERVICE_NAME": "edge", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b"})
	e.Log(entry())
	stop()
	spans := r.spans()
	if len(spans) != 2 || e.Counts() != (Counts{Sent: 2}) {
		t.Fatalf("%d spans, %+v", len(spans), e.Counts())
	}
	if h := r.headers[0]; h.Get("Content-Type") != "application/x-protobuf" || h.Get("X-Key") != "a b" {
		t.Errorf("headers %v", h)
	}
	resource := text(r.got[0].Resource.Attributes)
	if resource["service.name"] != "edge" || resource["service.version"] != "1.2.3" || resource["deployment.environment.name"] != "prod" {
		t.Errorf("resource %v", resource)
	}
	server, client := spans[0], spans[1]
	if hex.EncodeToString(server.TraceId) != "0af7651916cd43dd8448eb211c80319c" || hex.EncodeToString(server.ParentSpanId) != "b7ad6b7169203331" ||
		string(client.ParentSpanId) != string(server.SpanId) || string(client.TraceId) != string(server.TraceId) {
		t.Errorf("the spans are no family: %v %v", server, client)
	}
	if server.Kind != otlp.Span_SPAN_KIND_SERVER || client.Kind != otlp.Span_SPAN_KIND_CLIENT || server.Name != "GET" {
		t.Errorf("%v %v %q", server.Kind, client.Kind, server.Name)
	}
	if server.StartTimeUnixNano != 1700000000000000123 || server.EndTimeUnixNano-server.StartTimeUnixNano != 20e6 || client.StartTimeUnixNano-server.StartTimeUnixNano != 1e6 {
		t.Errorf("times %d %d %d", server.StartTimeUnixNano, server.EndTimeUnixNano, client.StartTimeUnixNano)
	}
	if server.Status.GetCode() != otlp.Status_STATUS_CODE_ERROR {
		t.Errorf("status %v", server.Status)
	}
	want := map[string]string{
		"http.request.method": "GET", "url.path": "/basket", "url.scheme": "https", "server.address": "shop.example", "server.port": "#8443",
		"client.address": "192.0.2.7", "network.peer.address": "10.0.0.9", "user_agent.original": "curl/8",
		"http.response.status_code": "#500", "serin.rollout": "checkout", "serin.arm": "canary", "error.type": "500",
	}
	if got := text(server.Attributes); !equal(got, want) {
		t.Errorf("server: got %v, want %v", got, want)
	}
	want = map[string]string{
		"http.request.method": "GET", "server.address": "10.0.0.22", "server.port": "#9443", "serin.upstream": "v2", "http.request.resend_count": "#1",
		"http.response.status_code": "#500", "serin.rollout": "checkout", "serin.arm": "canary", "error.type": "500",
	}
	if got := text(client.Attributes); !equal(got, want) {
		t.Errorf("client: got %v, want %v", got, want)
	}
}

func equal(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestExporter_WhatIsKept(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*proxy.Entry)
		spans  int
	}{
		{"a sampled request", func(*proxy.Entry) {}, 2},
		{"a sampled one that reached no upstream", func(e *proxy.Entry) { e.Server = "" }, 1},
		{"an unsampled one the canary failed", func(e *proxy.Entry) { e.Span.Sampled = false }, 2},
		{"an unsampled one stable failed", func(e *proxy.Entry) { e.Span.Sampled, e.Arm = false, "stable" }, 0},
		{"an unsampled good one", func(e *proxy.Entry) { e.Span.Sampled, e.Status, e.Outcome = false, 200, window.Success }, 0},
		{"bytes of a client that are no text", func(e *proxy.Entry) { e.Target, e.Method = []byte("/\xff\xfe"), []byte("BREW") }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReceiver(t)
			e, stop := exporterTo(t, r.URL, map[string]string{"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
			one := entry()
			c.change(one)
			e.Log(one)
			stop()
			if got := len(r.spans()); got != c.spans {
				t.Errorf("%d spans, want %d", got, c.spans)
			}
		})
	}
}

func TestExporter_CollectorIsBusy_TriesAgain(t *testing.T) {
	r := newReceiver(t, 503)
	e, stop := exporterTo(t, r.URL, map[string]string{"OTEL_BSP_SCHEDULE_DELAY": "1"})
	e.Log(entry())
	<-r.came
	<-r.came
	stop()
	if n := len(r.spans()); n != 2 {
		t.Errorf("%d spans after a 503", n)
	}
}

func TestExporter_CollectorRefuses_DropsAndCounts(t *testing.T) {
	r := newReceiver(t, 400)
	e, stop := exporterTo(t, r.URL, nil)
	e.Log(entry())
	stop()
	if got := e.Counts(); got != (Counts{Dropped: 2}) {
		t.Errorf("%+v", got)
	}
}

func TestExporter_QueueIsFull_DropsAndNeverWaits(t *testing.T) {
	s, _, err := FromEnv(func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_MAX_QUEUE_SIZE": "3"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	e := New(s, "", slog.New(slog.DiscardHandler))
	for range 5 {
		e.Log(entry()) // nobody takes them: Run is not there
	}
	if got := e.Counts(); got != (Counts{Dropped: 4}) {
		t.Errorf("%+v", got)
	}
}

func TestExporter_Log_AllocatesNothing(t *testing.T) {
	s, _, err := FromEnv(func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_MAX_QUEUE_SIZE": "1"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	e, one := New(s, "", slog.New(slog.DiscardHandler)), entry()
	buffer := make([]byte, 0, 4096) // the race detector has pools forget: they shall find it again
	e.spare.New = func() any { return &buffer }
	e.Log(one)
	if n := testing.AllocsPerRun(200, func() { e.Log(one) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	one.Span.Sampled, one.Arm = false, "stable"
	if n := testing.AllocsPerRun(200, func() { e.Log(one) }); n > 0 {
		t.Errorf("%v allocations for a request that is not sampled", n)
	}
}

func TestSample_ByParentAndRatio(t *testing.T) {
	low, high := wire.Span{}, wire.Span{}
	high.Trace[8] = 0xff
	caller := func(sampled bool) wire.Span { return wire.Span{Remote: true, Sampled: sampled, Trace: high.Trace} }
	for _, c := range []struct {
		sampler, arg string
		span         wire.Span
		want         bool
	}{
		{"", "", high, true},
		{"", "", caller(false), false},
		{"always_on", "", caller(false), true},
		{"always_off", "", caller(true), false},
		{"parentbased_always_off", "", caller(true), true},
		{"parentbased_always_off", "", low, false},
		{"traceidratio", "0.5", low, true},
		{"traceidratio", "0.5", high, false},
		{"parentbased_traceidratio", "0.5", caller(true), true},
		{"traceidratio", "0", low, false},
	} {
		s, _, err := FromEnv(func(name string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_TRACES_SAMPLER": c.sampler, "OTEL_TRACES_SAMPLER_ARG": c.arg}[name]
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := New(s, "", nil).Sample(&c.span); got != c.want {
			t.Errorf("%s %s %+v: %v", c.sampler, c.arg, c.span, got)
		}
	}
}

func TestFromEnv_NotAskedFor_IsOff(t *testing.T) {
	for _, vars := range []map[string]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318", "OTEL_TRACES_EXPORTER": "none"},
	} {
		if _, ok, err := FromEnv(func(name string) string { return vars[name] }); ok || err != nil {
			t.Errorf("%v: %v %v", vars, ok, err)
		}
	}
}

func TestFromEnv_Endpoints_AsTheSpecificationSays(t *testing.T) {
	for want, vars := range map[string]map[string]string{
		"http://h:4318/v1/traces":         {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318/"},
		"http://h:4318/x":                 {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:4318/x"},
		"http://localhost:4318/v1/traces": {"OTEL_TRACES_EXPORTER": "otlp"},
	} {
		if s, ok, err := FromEnv(func(name string) string { return vars[name] }); !ok || err != nil || s.Endpoint != want {
			t.Errorf("%v: %q %v", vars, s.Endpoint, err)
		}
	}
}

func TestFromEnv_NoUse_NamesTheVariable(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_TRACES_SAMPLER": "jaeger_remote",
		"OTEL_EXPORTER_OTLP_TIMEOUT": "soon", "OTEL_EXPORTER_OTLP_COMPRESSION": "zstd", "OTEL_BSP_MAX_QUEUE_SIZE": "0",
		"OTEL_RESOURCE_ATTRIBUTES": "nonsense", "OTEL_EXPORTER_OTLP_HEADERS": "secret", "OTEL_TRACES_EXPORTER": "zipkin",
	} {
		vars := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318", name: value}
		_, _, err := FromEnv(func(name string) string { return vars[name] })
		if err == nil || !strings.Contains(err.Error(), name+"=") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
		if name == "OTEL_EXPORTER_OTLP_HEADERS" && strings.Contains(err.Error(), "secret") {
			t.Errorf("a secret is told: %v", err)
		}
	}
}

// What an address has of credentials is told to the collector alone.
func TestEndpoint_WithCredentials_IsInNoMessage(t *testing.T) {
	f := func(endpoint string) (Settings, error) {
		s, _, err := FromEnv(func(name string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint, "OTEL_TRACES_EXPORTER": "otlp"}[name]
		})
		return s, err
	}
	s, err := f("http://user:hush@127.0.0.1:1/v1/traces?key=hush")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Collector(); got != "http://127.0.0.1:1/v1/traces" {
		t.Errorf("the collector is told as %q", got)
	}
	if _, _, err := New(s, "", nil).post(t.Context(), nil); err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "user") {
		t.Errorf("got %v", err)
	}
	if _, err := f("ftp://user:hush@h"); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}
