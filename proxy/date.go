package proxy

import "time"

// dateForm is RFC 9110's, section 5.6.7.
const dateForm = "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n"

// dateLine is a Date field as it was in one second of the sweeper's clock; immutable.
type dateLine struct {
	second int64
	line   []byte
}

// date is the Date line for an answer that has none: whoever has a clock and forwards such an answer MUST append one (RFC
// 9110, section 6.6.1), and our own answers are an origin server's. It is rendered once a second and may be that old.
func (p *Proxy) date() []byte {
	second := int64(p.sweeper.Now() / time.Second)
	d := p.dated.Load()
	if d == nil || d.second != second {
		d = &dateLine{second, time.Now().UTC().AppendFormat(nil, dateForm)}
		p.dated.Store(d)
	}
	return d.line
}
