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
	kindDate
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

// known is one name that means something to a proxy.
type known struct {
	name string // lower case
	kind kind
}

// names holds every known name in the slot that slot gives it; no two share one.
var names = func() (t [64]known) {
	for _, k := range [...]known{
		{"host", kindHost},
		{"content-length", kindContentLength},
		{"transfer-encoding", kindTransferEncoding},
		{"connection", kindConnection},
		{"keep-alive", kindKeepAlive},
		{"proxy-connection", kindProxyConnection},
		{"te", kindTE},
		{"trailer", kindTrailer},
		{"upgrade", kindUpgrade},
		{"http2-settings", kindHTTP2Settings},
		{"expect", kindExpect},
		{"max-forwards", kindMaxForwards},
		{"via", kindVia},
		{"cookie", kindCookie},
		{"authorization", kindAuthorization},
		{"x-forwarded-for", kindForwardedFor},
		{"x-forwarded-proto", kindForwardedProto},
		{"x-forwarded-host", kindForwardedHost},
		{"x-real-ip", kindRealIP},
		{"forwarded", kindForwarded},
		{"x-request-id", kindRequestID},
		{"traceparent", kindTraceparent},
		{"tracestate", kindTracestate},
		{"set-cookie", kindSetCookie},
		{"cache-control", kindCacheControl},
		{"date", kindDate},
	} {
		i := slot([]byte(k.name))
		if t[i].name != "" {
			panic("BUG: " + k.name + " and " + t[i].name + " share a slot")
		}
		t[i] = k
	}
	return t
}()

// slot is a hash of length, first and last letter; its factors were searched for.
func slot(name []byte) int {
	return (len(name)*10 + int(name[0]|0x20)*26 + int(name[len(name)-1]|0x20)) & 63
}

// classify finds the kind of a name that is a token.
func classify(name []byte) kind {
	k := &names[slot(name)]
	if len(name) == len(k.name) && equalFold(name, k.name) {
		return k.kind
	}
	switch {
	case len(name) >= len("x-forwarded-") && name[1] == '-' && hasPrefixFold(name, "x-forwarded-"):
		return kindForwardedOther
	case len(name) >= len("serin-") && name[5] == '-' && hasPrefixFold(name, "serin-"):
		return kindSerin
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
