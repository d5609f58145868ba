package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestE2E_Traces_CollectorAndUpstreamAgree runs serin as a service that exports its traces is run: by OTEL_* variables
// alone. The collector reads with OpenTelemetry's own messages.
func TestE2E_Traces_CollectorAndUpstreamAgree(t *testing.T) {
	spans := make(chan *otlp.Span, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var m otlp.TracesData
		if err == nil {
			err = proto.Unmarshal(raw, &m)
		}
		if err != nil {
			t.Error(err)
		}
		for _, rs := range m.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					spans <- s
				}
			}
		}
	}))
	defer collector.Close()
	seen := make(chan http.Header, 10)
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	defer upstream.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	site := newSite(t)
	d := startDaemon(t, site, site.config(t, fmt.Sprintf("[upstream.v1]\nservers = [%q]\n[route.all]\nupstream = \"v1\"\n", upstream.Listener.Addr())))

	const parent = "b7ad6b7169203331"
	req, err := http.NewRequest(http.MethodGet, d.Listen+"/a?b", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-"+parent+"-01")
	req.Header.Set("tracestate", "x=1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var server, client *otlp.Span
	for range 2 {
		select {
		case s := <-spans:
			if s.Kind == otlp.Span_SPAN_KIND_SERVER {
				server = s
			} else {
				client = s
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no spans came")
		}
	}
	if server == nil || client == nil || hex.EncodeToString(server.ParentSpanId) != parent || string(client.ParentSpanId) != string(server.SpanId) {
		t.Fatalf("server %v, client %v", server, client)
	}
	h := <-seen
	if want := "00-0af7651916cd43dd8448eb211c80319c-" + hex.EncodeToString(client.SpanId) + "-01"; h.Get("traceparent") != want || h.Get("tracestate") != "x=1" {
		t.Errorf("the upstream got %q %q, want %q", h.Get("traceparent"), h.Get("tracestate"), want)
	}
}
