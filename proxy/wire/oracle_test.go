package wire

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// A second, slow and simple reader of HTTP/1.1 for the fuzz targets: regular expressions straight from the grammar, no
// code shared with the package.

type strictHead struct {
	first  [3]string
	fields [][2]string
	size   int
}

var (
	strictRequestLine = regexp.MustCompile("^([!#$%&'*+\\-.^_`|~0-9A-Za-z]+) ([^\\x00-\\x20#\\x7f]+) HTTP/(1\\.[01])$")
	strictStatusLine  = regexp.MustCompile(`^HTTP/(1\.[01]) ([1-5][0-9][0-9])((?: [^\x00-\x08\x0a-\x1f\x7f]*)?)$`)
	strictField       = regexp.MustCompile("^([!#$%&'*+\\-.^_`|~0-9A-Za-z]+):[ \\t]*((?:[^\\x00-\\x20\\x7f](?:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*[^\\x00-\\x20\\x7f])?)?)[ \\t]*$")
	strictNumber      = regexp.MustCompile(`^[0-9]{1,19}$`)
	strictHost        = regexp.MustCompile(`^([A-Za-z0-9\-._~!$&'()*+;=%]+|\[[0-9A-Fa-f:.]{2,}\])(:[0-9]{0,5})?$`)
	strictChunkLine   = regexp.MustCompile(`^([0-9A-Fa-f]{1,16})([ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?$`)
)

var errStrict = errors.New("not strict HTTP/1.1")

// strictly splits a head into its lines; unfold joins folded ones.
func strictly(in []byte, line *regexp.Regexp, unfold bool) (h strictHead, err error) {
	end := bytes.Index(in, []byte("\r\n\r\n"))
	if end < 0 {
		return h, errStrict
	}
	h.size = end + 4
	text := string(in[:end])
	if unfold {
		text = regexp.MustCompile(`\r\n[ \t]`).ReplaceAllString(text, "   ")
	}
	lines := strings.Split(text, "\r\n")
	m := line.FindStringSubmatch(lines[0])
	if m == nil {
		return h, errStrict
	}
	copy(h.first[:], m[1:])
	for _, l := range lines[1:] {
		m := strictField.FindStringSubmatch(l)
		if m == nil {
			return h, errStrict
		}
		h.fields = append(h.fields, [2]string{m[1], m[2]})
	}
	return h, nil
}

// all returns the values of a field.
func (h *strictHead) all(name string) (values []string) {
	for _, f := range h.fields {
		if strings.EqualFold(f[0], name) {
			values = append(values, f[1])
		}
	}
	return values
}

// list returns the elements of a field, lower case.
func (h *strictHead) list(name string) (elements []string) {
	for _, v := range h.all(name) {
		for e := range strings.SplitSeq(v, ",") {
			if e = strings.ToLower(strings.Trim(e, " \t")); e != "" {
				elements = append(elements, e)
			}
		}
	}
	return elements
}

// framing applies RFC 9112 6.3 without its tolerances.
func (h *strictHead) framing(none Framing) (Framing, int64, error) {
	length, coding := h.all("Content-Length"), h.all("Transfer-Encoding")
	switch {
	case len(length)+len(coding) == 0:
		return none, 0, nil
	case len(length)+len(coding) > 1:
		return 0, 0, errStrict
	case len(coding) == 1:
		if !strings.EqualFold(coding[0], "chunked") || h.first[0] == "1.0" || h.first[2] == "1.0" {
			return 0, 0, errStrict
		}
		return Chunked, 0, nil
	}
	n, err := strconv.ParseInt(length[0], 10, 64)
	if err != nil || !strictNumber.MatchString(length[0]) {
		return 0, 0, errStrict
	}
	return Length, n, nil
}

// strictChunks decodes a complete chunked body; of a broken one, data is what precedes the break.
func strictChunks(in string) (data string, used int, err error) {
	line := func() (string, bool) {
		l, _, ok := strings.Cut(in[used:], "\r\n")
		used += len(l) + 2
		return l, ok && !strings.ContainsAny(l, "\r\n")
	}
	for {
		l, ok := line()
		m := strictChunkLine.FindStringSubmatch(l)
		if !ok || m == nil {
			return data, used, errStrict
		}
		n, err := strconv.ParseInt(m[1], 16, 64)
		if err != nil {
			return data, used, errStrict
		}
		if n == 0 {
			break
		}
		here := int(min(n, int64(len(in)-used)))
		data += in[used : used+here]
		used += here + 2
		if int64(here) < n || used > len(in) || in[used-2:used] != "\r\n" {
			return data, used, errStrict
		}
	}
	for {
		l, ok := line()
		if !ok || l != "" && strictField.FindStringSubmatch(l) == nil {
			return data, used, errStrict
		}
		if l == "" {
			return data, used, nil
		}
	}
}
