package wire

// Byte classes of request targets.
const (
	targetStop  = 1 << iota // SP and controls end a target, '#' spoils it
	targetSlash             //
	targetDot               //
	targetQuery             // the question mark
	targetOdd               // percent, backslash and what RFC 3986 does not allow: passes, but asks for a second opinion or a normaliser
)

// targets maps a byte to its classes; 0: an ordinary character.
var targets = func() (t [256]uint8) {
	for c := range t {
		if c <= ' ' || c == 0x7f {
			t[c] = targetStop
		} else if c >= 0x80 {
			t[c] = targetOdd
		}
	}
	for _, c := range "\"<>\\^`{|}%" {
		t[c] = targetOdd
	}
	t['#'] = targetStop
	t['/'] = targetSlash
	t['.'] = targetDot
	t['?'] = targetQuery
	return t
}()

// requestLine reads the request line at b[i] and returns the index behind its CRLF; 0 without an error asks for more.
func (r *Request) requestLine(b []byte, i, maxTarget int) (int, error) {
	start := i
	i = tokenEnd(b, i)
	if i-start > maxMethod {
		return 0, errMethod
	}
	if i == len(b) {
		return 0, nil
	}
	if b[i] != ' ' || i == start {
		return 0, errRequestLine
	}
	r.Method = b[start:i:i]
	i++
	start = i
	query := -1
	all := uint8(0)
	simple := true
	i = len(b)
	for j, c := range b[start:] {
		t := targets[c]
		if t == 0 {
			continue
		}
		if t&targetStop != 0 {
			i = start + j
			break
		}
		if query < 0 && t&(targetSlash|targetQuery) != 0 {
			if t&targetQuery != 0 {
				query = start + j
				simple = simple && all&targetOdd == 0
			} else if next := start + j + 1; next < len(b) && targets[b[next]]&(targetSlash|targetDot) != 0 {
				simple = false
			}
		}
		all |= t
	}
	if i-start > maxTarget {
		return 0, errTargetLong
	}
	if i == len(b) {
		return 0, nil
	}
	if b[i] != ' ' || i == start {
		return 0, errTarget
	}
	if query < 0 {
		query = i
		simple = simple && all&targetOdd == 0
	}
	r.Target, r.Path, r.Query = b[start:i:i], b[start:query:query], nil
	if query < i {
		r.Query = b[query+1 : i : i]
	}
	r.Simple, r.Plain = simple, all&targetOdd == 0
	return r.version(b, i+1)
}

// version reads "HTTP/1.x" CRLF at b[i].
func (r *Request) version(b []byte, i int) (int, error) {
	const form = "HTTP/d.d\r\n"
	if len(b)-i < len(form) {
		return 0, nil
	}
	v := b[i : i+len(form)]
	if string(v[:5]) != "HTTP/" || v[5]-'0' > 9 || v[6] != '.' || v[7]-'0' > 9 || v[8] != '\r' || v[9] != '\n' {
		return 0, errRequestLine
	}
	if v[5] != '1' || v[7] > '1' {
		return 0, errVersion
	}
	r.HTTP10 = v[7] == '0'
	return i + len(form), nil
}

// form judges target and method together and sets Path and Query of an absolute form.
func (r *Request) form() error {
	switch string(r.Method) {
	case "GET":
		r.Idempotent = true
	case "HEAD":
		r.IsHead, r.Idempotent = true, true
	case "PUT", "DELETE", "OPTIONS":
		r.Idempotent = true
	case "CONNECT":
		return errConnect
	case "TRACE":
		return errTrace
	}
	if r.Target[0] == '/' {
		return nil
	}
	r.Simple, r.Plain = false, false
	if len(r.Target) == 1 && r.Target[0] == '*' && string(r.Method) == "OPTIONS" {
		return nil
	}
	return r.absolute()
}

// absolute splits http://authority/path?query.
func (r *Request) absolute() error {
	t := r.Target
	skip := 0
	switch {
	case len(t) > 7 && string(t[4:7]) == "://" && equalFold(t[:4], "http"):
		skip = 7
	case len(t) > 8 && string(t[5:8]) == "://" && equalFold(t[:5], "https"):
		skip = 8
	default:
		return errTarget
	}
	end := skip
	for end < len(t) && t[end] != '/' && t[end] != '?' {
		end++
	}
	if !validHost(t[skip:end]) {
		return errHost
	}
	r.Absolute, r.Host = true, t[skip:end:end]
	r.Path, r.Query = t[end:], nil
	for i, c := range t[end:] {
		if c == '?' {
			r.Path, r.Query = t[end:end+i:end+i], t[end+i+1:]
			break
		}
	}
	if len(r.Path) == 0 {
		r.Path = rootPath
		if string(r.Method) == "OPTIONS" && end == len(t) {
			r.Path = starPath
		}
	}
	return nil
}

var (
	rootPath = []byte("/")
	starPath = []byte("*")
)

const (
	hostChar  = 1
	hostColon = 2
)

// hostChars are those of a reg-name or an IPv4 address (RFC 3986 3.2.2) without the comma, which would make two hosts
// of one for a list parser.
var hostChars = func() (t [256]uint8) {
	for c := range t {
		b := byte(c)
		if '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' {
			t[c] = hostChar
		}
	}
	for _, c := range "-._~!$&'()*+;=%" {
		t[c] = hostChar
	}
	t[':'] = hostColon
	return t
}()

// validHost says whether h is host [":" port], never with user information.
func validHost(h []byte) bool {
	if len(h) == 0 {
		return false
	}
	i := 0
	if h[0] == '[' {
		for i = 1; i < len(h) && (isHex(h[i]) || h[i] == ':' || h[i] == '.'); i++ {
		}
		if i < 3 || i == len(h) || h[i] != ']' {
			return false
		}
		i++
	} else {
		for i < len(h) && hostChars[h[i]] == hostChar {
			i++
		}
	}
	if i == len(h) {
		return true
	}
	if h[i] != ':' || i == 0 || len(h)-i > len(":65535") {
		return false
	}
	for _, c := range h[i+1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
