package wire

// Field is one field line as offsets into the buffer that was parsed; immutable until the next Parse.
type Field struct {
	Start    uint32 // first byte of the name
	NameEnd  uint32 // the colon
	Value    uint32 // first byte of the value, OWS skipped
	ValueEnd uint32 // one past the value, OWS trimmed
	End      uint32 // one past the line's CRLF
	kind     kind
}

// kind is what a field means to a proxy; most mean nothing.
type kind uint8

const (
	kindOther kind = iota
	kindCut        // nominated by Connection, or an underscore twin of one of ours: never forwarded

	kindHost
	kindContentLength
	kindTransferEncoding
	kindConnection
	kindKeepAlive
	kindProxyConnection
	kindTE
	kindTrailer
	kindUpgrade
	kindHTTP2Settings
	kindExpect
	kindMaxForwards
	kindVia
	kindCookie
	kindAuthorization
	kindForwardedFor
	kindForwardedProto
	kindForwardedHost
	kindForwardedOther // X-Forwarded-Port and every other X-Forwarded-*
	kindRealIP
	kindForwarded
	kindRequestID
	kindTraceparent
	kindTracestate
	kindSerin // Serin-*
	kindSetCookie
	kindCacheControl
)

// set is a set of kinds.
type set uint64

func (k kind) set() set { return 1 << k }

const (
	// hopByHop never crosses a proxy (RFC 9110 7.6.1); HTTP2-Settings goes with the h2c upgrade that we never pass on.
	hopByHop set = 1<<kindCut | 1<<kindConnection | 1<<kindKeepAlive | 1<<kindProxyConnection | 1<<kindTE |
		1<<kindUpgrade | 1<<kindHTTP2Settings
	// forwarding is what an untrusted peer may not say about others.
	forwarding set = 1<<kindForwardedFor | 1<<kindForwardedProto | 1<<kindForwardedHost | 1<<kindForwardedOther |
		1<<kindRealIP | 1<<kindForwarded | 1<<kindRequestID
	// twins are cut when spelled with '_': an upstream that maps '_' and '-' to one name would read them as ours.
	twins set = forwarding | hopByHop | 1<<kindHost | 1<<kindContentLength | 1<<kindTransferEncoding | 1<<kindExpect |
		1<<kindTraceparent | 1<<kindTracestate | 1<<kindSerin | 1<<kindCookie | 1<<kindAuthorization | 1<<kindTrailer | 1<<kindVia
)

// classify finds the kind of a name that is a token.
func classify(name []byte) kind {
	switch name[0] | 0x20 {
	case 'h':
		return among(name, "host", kindHost, "http2-settings", kindHTTP2Settings)
	case 'c':
		return classifyC(name)
	case 't':
		return classifyT(name)
	case 'x':
		return classifyX(name)
	case 'a':
		return among(name, "authorization", kindAuthorization, "", 0)
	case 'e':
		return among(name, "expect", kindExpect, "", 0)
	case 'f':
		return among(name, "forwarded", kindForwarded, "", 0)
	case 'k':
		return among(name, "keep-alive", kindKeepAlive, "", 0)
	case 'm':
		return among(name, "max-forwards", kindMaxForwards, "", 0)
	case 'p':
		return among(name, "proxy-connection", kindProxyConnection, "", 0)
	case 'u':
		return among(name, "upgrade", kindUpgrade, "", 0)
	case 'v':
		return among(name, "via", kindVia, "", 0)
	case 's':
		if hasPrefixFold(name, "serin-") {
			return kindSerin
		}
		return among(name, "set-cookie", kindSetCookie, "", 0)
	}
	return kindOther
}

func classifyC(name []byte) kind {
	switch len(name) {
	case len("cookie"):
		return among(name, "cookie", kindCookie, "", 0)
	case len("connection"):
		return among(name, "connection", kindConnection, "", 0)
	}
	return among(name, "content-length", kindContentLength, "cache-control", kindCacheControl)
}

func classifyT(name []byte) kind {
	switch len(name) {
	case len("te"):
		return among(name, "te", kindTE, "", 0)
	case len("trailer"):
		return among(name, "trailer", kindTrailer, "", 0)
	case len("tracestate"):
		return among(name, "tracestate", kindTracestate, "", 0)
	}
	return among(name, "transfer-encoding", kindTransferEncoding, "traceparent", kindTraceparent)
}

func classifyX(name []byte) kind {
	const prefix = "x-forwarded-"
	if len(name) <= len(prefix) {
		return among(name, "x-real-ip", kindRealIP, "x-request-id", kindRequestID)
	}
	if !hasPrefixFold(name, prefix) {
		return kindOther
	}
	switch rest := name[len(prefix):]; {
	case equalFold(rest, "for"):
		return kindForwardedFor
	case equalFold(rest, "proto"):
		return kindForwardedProto
	case equalFold(rest, "host"):
		return kindForwardedHost
	}
	return kindForwardedOther
}

func among(name []byte, a string, isA kind, b string, isB kind) kind {
	if equalFold(name, a) {
		return isA
	}
	if equalFold(name, b) {
		return isB
	}
	return kindOther
}

// classifyUnderscore cuts the twins of our own names, and every such name under UnderscoreDrop.
func classifyUnderscore(name []byte, policy Underscore) kind {
	if policy == UnderscoreDrop {
		return kindCut
	}
	var dashed [32]byte
	if len(name) > len(dashed) {
		name = name[:len(dashed)] // no exact name of ours is longer; the prefixes are shorter
	}
	for i, c := range name {
		dashed[i] = dash(c)
	}
	if twins&classify(dashed[:len(name)]).set() != 0 {
		return kindCut
	}
	return kindOther
}
