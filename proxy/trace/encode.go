package trace

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"serin/gate/window"
	"serin/proxy"
)

// Field numbers of opentelemetry/proto/trace/v1/trace.proto, common.proto and resource.proto, version 1.x.
const (
	requestResourceSpans = 1

	resourceSpansResource = 1
	resourceSpansScope    = 2
	resourceAttributes    = 1
	scopeSpansScope       = 1
	scopeSpansSpans       = 2
	scopeName             = 1
	scopeVersion          = 2

	spanTrace      = 1
	spanID         = 2
	spanParent     = 4
	spanName       = 5
	spanKind       = 6
	spanStart      = 7
	spanEnd        = 8
	spanAttributes = 9
	spanStatus     = 15

	statusCode = 3

	keyValueKey   = 1
	keyValueValue = 2
	anyString     = 1
	anyInt        = 3
)

const (
	kindServer  = 2
	kindClient  = 3
	statusError = 2
)

// longest is the most bytes of a client's text in one attribute.
const longest = 1024

// resourceOf is everything of a request before its spans: an encoded Resource, and the scope, as requestOf wants them.
func resourceOf(s Settings, version string) []byte {
	var resource []byte
	for _, a := range append([]Attribute{{"service.name", s.Service}, {"service.version", version}, {"telemetry.sdk.language", "go"}, {"telemetry.sdk.name", "serin"}, {"telemetry.sdk.version", version}}, s.Attributes...) {
		resource = appendText(resource, resourceAttributes, a.Name, a.Value)
	}
	var scope []byte
	scope = appendBytes(scope, scopeName, "serin")
	scope = appendBytes(scope, scopeVersion, version)
	out := appendBytes(nil, resourceSpansResource, resource)
	return appendBytes(out, scopeSpansScope, scope)
}

// requestOf makes an ExportTraceServiceRequest of what resourceOf and appendSpans wrote one after the other.
func requestOf(parts []byte) []byte {
	_, _, n := protowire.ConsumeField(parts)
	resource, rest := parts[:n], parts[n:]
	spans := appendBytes(append([]byte(nil), resource...), resourceSpansScope, rest)
	return appendBytes(nil, requestResourceSpans, spans)
}

// nextSpan cuts the first span off what appendSpans wrote.
func nextSpan(b []byte) (span, rest []byte) {
	_, _, n := protowire.ConsumeField(b)
	return b[:n], b[n:]
}

// spansOf is how many spans a request has: its own, and the upstream's where it came so far.
func spansOf(e *proxy.Entry) uint64 {
	if e.Server == "" {
		return 1
	}
	return 2
}

// appendSpans appends the request's spans, each as a field of ScopeSpans.
func appendSpans(b []byte, e *proxy.Entry) []byte {
	b, at := begin(b, scopeSpansSpans)
	b = end(appendServer(b, e), at)
	if e.Server != "" {
		b, at = begin(b, scopeSpansSpans)
		b = end(appendClient(b, e), at)
	}
	return b
}

// appendServer is the client's request to serin. The query is left out: it may hold secrets.
func appendServer(b []byte, e *proxy.Entry) []byte {
	var parent []byte
	if e.Span.Remote {
		parent = e.Span.Parent[:]
	}
	b = appendIdentity(b, e, e.Span.Server[:], parent, kindServer, 0)
	path, _, _ := bytes.Cut(e.Target, []byte("?"))
	b = appendText(b, spanAttributes, "url.path", path)
	scheme := "http"
	if e.Secure {
		scheme = "https"
	}
	b = appendText(b, spanAttributes, "url.scheme", scheme)
	b = appendHost(b, e.Host)
	var address [64]byte
	b = appendText(b, spanAttributes, "client.address", e.Client.AppendTo(address[:0]))
	b = appendText(b, spanAttributes, "network.peer.address", e.Peer.AppendTo(address[:0]))
	if len(e.UserAgent) > 0 {
		b = appendText(b, spanAttributes, "user_agent.original", e.UserAgent)
	}
	return appendEnd(b, e, e.Status >= 500 || e.Outcome.Bad())
}

// appendClient is serin's request to the upstream.
func appendClient(b []byte, e *proxy.Entry) []byte {
	b = appendIdentity(b, e, e.Span.Client[:], e.Span.Server[:], kindClient, e.Sent)
	b = appendHost(b, e.Server)
	b = appendText(b, spanAttributes, "serin.upstream", e.Upstream)
	if e.Retries > 0 {
		b = appendInt(b, "http.request.resend_count", int64(e.Retries))
	}
	return appendEnd(b, e, e.Status >= 400 || e.Outcome.Bad())
}

func appendIdentity(b []byte, e *proxy.Entry, id, parent []byte, kind uint64, after time.Duration) []byte {
	b = appendBytes(b, spanTrace, e.Span.Trace[:])
	b = appendBytes(b, spanID, id)
	if parent != nil {
		b = appendBytes(b, spanParent, parent)
	}
	method := knownMethod(e.Method)
	name := method
	if method == "_OTHER" {
		name = "HTTP" // "HTTP spans", section "Name"
	}
	b = appendBytes(b, spanName, name)
	b = protowire.AppendTag(b, spanKind, protowire.VarintType)
	b = protowire.AppendVarint(b, kind)
	b = appendTime(b, spanStart, e.Start.Add(after))
	b = appendTime(b, spanEnd, e.Start.Add(max(e.Total, after)))
	b = appendText(b, spanAttributes, "http.request.method", method)
	if method == "_OTHER" {
		b = appendText(b, spanAttributes, "http.request.method_original", e.Method)
	}
	return b
}

// appendEnd is how it ended, and on which arm.
func appendEnd(b []byte, e *proxy.Entry, failed bool) []byte {
	if e.Status > 0 && e.Status != 499 { // 499 is ours: the client left before an answer
		b = appendInt(b, "http.response.status_code", int64(e.Status))
	}
	if e.Rollout != "" {
		b = appendText(b, spanAttributes, "serin.rollout", e.Rollout)
		b = appendText(b, spanAttributes, "serin.arm", e.Arm)
	}
	if !failed {
		return b
	}
	if word := errorType(e); word != "" {
		b = appendText(b, spanAttributes, "error.type", word)
	} else {
		var digits [20]byte
		b = appendText(b, spanAttributes, "error.type", strconv.AppendInt(digits[:0], int64(e.Status), 10))
	}
	b, at := begin(b, spanStatus)
	b = protowire.AppendTag(b, statusCode, protowire.VarintType)
	return end(protowire.AppendVarint(b, statusError), at)
}

// errorType is a word for what serin saw; "" where the answer's status says it.
func errorType(e *proxy.Entry) string {
	switch e.Outcome {
	case window.Timeout:
		return "timeout"
	case window.Unreachable:
		return "unreachable"
	case window.Reset:
		return "reset"
	case window.Truncated:
		return "truncated"
	}
	return ""
}

// appendHost writes server.address and, where it is known, server.port. host may have a scheme before it, or be a socket's
// path.
func appendHost[T string | []byte](b []byte, host T) []byte {
	if len(host) == 0 {
		return b
	}
	for i := 0; i+3 <= len(host); i++ {
		if string(host[i:i+3]) == "://" {
			host = host[i+3:]
			break
		}
	}
	colon := len(host) - 1
	for colon >= 0 && host[colon] >= '0' && host[colon] <= '9' {
		colon--
	}
	if colon <= 0 || host[colon] != ':' || colon == len(host)-1 || len(host)-colon > len(":65535") {
		return appendText(b, spanAttributes, "server.address", host)
	}
	port := int64(0)
	for _, digit := range []byte(host[colon+1:]) {
		port = port*10 + int64(digit-'0')
	}
	b = appendText(b, spanAttributes, "server.address", host[:colon])
	return appendInt(b, "server.port", port)
}

// knownMethod keeps the attribute's values few: "_OTHER" stands for what RFC 9110 and RFC 5789 do not name.
func knownMethod(m []byte) string {
	for _, known := range [...]string{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"} {
		if string(m) == known {
			return known
		}
	}
	return "_OTHER"
}

func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	b = protowire.AppendTag(b, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, uint64(t.UnixNano()))
}

func appendBytes[T string | []byte](b []byte, field protowire.Number, v T) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(v)))
	return append(b, v...)
}

// begin opens a message whose length is known only afterwards; two bytes hold it, as no span is longer than 16 KiB.
func begin(b []byte, field protowire.Number) ([]byte, int) {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return append(b, 0, 0), len(b)
}

// end closes what begin opened at.
func end(b []byte, at int) []byte {
	n := len(b) - at - 2
	b[at], b[at+1] = byte(n)|0x80, byte(n>>7)
	return b
}

// appendText appends one attribute of text. Protobuf strings are UTF-8: bytes that are none become "?".
func appendText[T string | []byte](b []byte, field protowire.Number, name string, value T) []byte {
	value = value[:min(len(value), longest)]
	if !isASCII(value) {
		value = T(strings.ToValidUTF8(string(value), "?"))
	}
	b, outer := begin(b, field)
	b = appendBytes(b, keyValueKey, name)
	b, inner := begin(b, keyValueValue)
	b = appendBytes(b, anyString, value)
	return end(end(b, inner), outer)
}

func isASCII[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func appendInt(b []byte, name string, value int64) []byte {
	b, outer := begin(b, spanAttributes)
	b = appendBytes(b, keyValueKey, name)
	b, inner := begin(b, keyValueValue)
	b = protowire.AppendTag(b, anyInt, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(value))
	return end(end(b, inner), outer)
}
