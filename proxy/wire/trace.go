package wire

import "encoding/binary"

// validTraceparent checks a traceparent value by the grammar of W3C Trace Context, section 3.2.2: version ff is
// invalid, version 00 has exactly four parts, later versions may have more; ids are lower-case hex and not all zero.
func validTraceparent(v []byte) bool {
	const size = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
	if len(v) < size || v[2] != '-' || v[35] != '-' || v[52] != '-' {
		return false
	}
	if !lowerHex(v[:2]) || !lowerHex(v[3:35]) || !lowerHex(v[36:52]) || !lowerHex(v[53:55]) {
		return false
	}
	if string(v[:2]) == "ff" || allZero(v[3:35]) || allZero(v[36:52]) {
		return false
	}
	return len(v) == size || string(v[:2]) != "00" && v[size] == '-'
}

func lowerHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != '0' {
			return false
		}
	}
	return true
}

// keepsTrace says whether the client's trace context goes upstream as it is.
func (r *Request) keepsTrace() bool {
	if r.seen&(1<<kindTraceparent) == 0 || r.twice&(1<<kindTraceparent) != 0 {
		return false
	}
	f := find(r.Fields, kindTraceparent)
	return validTraceparent(r.buf[f.Value:f.ValueEnd])
}

// keepsID says whether the request id of a trusted peer goes upstream: one, and not an empty one.
func (r *Request) keepsID() bool {
	if r.seen&(1<<kindRequestID) == 0 || r.twice&(1<<kindRequestID) != 0 {
		return false
	}
	f := find(r.Fields, kindRequestID)
	return f.Value < f.ValueEnd
}

// appendTraceparent starts a trace. It is not sampled: "set to 0 as the default option when the trace is initiated by
// this component" (section 3.2.2.5.1).
func appendTraceparent(dst []byte, random *[3]uint64) []byte {
	dst = append(dst, "traceparent: 00-"...)
	dst = appendHex(dst, random[0])
	dst = appendHex(dst, random[1]|1) // never all zero
	dst = append(dst, '-')
	dst = appendHex(dst, random[2]|1)
	return append(dst, "-00\r\n"...)
}

// appendHex appends v as 16 lower-case digits.
func appendHex(dst []byte, v uint64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, hexDigits(uint32(v>>32)))
	return binary.BigEndian.AppendUint64(dst, hexDigits(uint32(v)))
}

// hexDigits spreads the nibbles of v over the lanes of a word and makes each its digit; no lane carries into the next.
func hexDigits(v uint32) uint64 {
	x := uint64(v)
	x = (x<<16 | x) & 0x0000ffff0000ffff
	x = (x<<8 | x) & 0x00ff00ff00ff00ff
	x = (x<<4 | x) & (lanes * 0x0f)
	letter := (x + lanes*6) >> 4 & lanes // 1 where the digit is a letter
	return x + lanes*'0' + letter*('a'-'0'-10)
}
