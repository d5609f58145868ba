package wire

// maxOptions bounds the elements of all Connection fields of a head: each may nominate a field, and every nomination
// looks at every field.
const maxOptions = 64

// connectionOptions is what the Connection fields say.
type connectionOptions struct {
	close, keepAlive, upgrade bool
	plain                     bool // nothing but close and keep-alive
}

// readConnection reads every Connection field of a head and marks the fields they nominate as kindCut. Only fields that
// mean nothing to a proxy can be nominated: Host, framing, Cookie, Authorization, Via, trace and forwarding fields stay
// whatever Connection says (RFC 9110 7.6.1; CVE-2024-45410). ok is false when an element is no token.
func readConnection(b []byte, fields []Field) (o connectionOptions, ok bool) {
	o.plain = true
	count := 0
	for i := range fields {
		if fields[i].kind != kindConnection {
			continue
		}
		list := b[fields[i].Value:fields[i].ValueEnd]
		if equalFold(list, "keep-alive") {
			o.keepAlive = true
			continue
		}
		for len(list) > 0 {
			var option []byte
			option, list = nextElement(list)
			if count++; count > maxOptions {
				return o, false
			}
			switch {
			case len(option) == 0: // RFC 9110 5.6.1.2: empty elements are ignored
			case equalFold(option, "close"):
				o.close = true
			case equalFold(option, "keep-alive"):
				o.keepAlive = true
			case !isToken(option):
				return o, false
			default:
				o.plain = false
				o.upgrade = o.upgrade || equalFold(option, "upgrade")
				nominate(b, fields, option)
			}
		}
	}
	return o, true
}

func nominate(b []byte, fields []Field, option []byte) {
	for i := range fields {
		f := &fields[i]
		if f.kind == kindOther && len(option) == int(f.NameEnd-f.Start) && equalTokens(b[f.Start:f.NameEnd], option) {
			f.kind = kindCut
		}
	}
}

func equalTokens(a, b []byte) bool {
	for i, c := range a {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}
