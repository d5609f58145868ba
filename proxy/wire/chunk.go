package wire

import "slices"

// chunkState is a place in the grammar of RFC 9112 7.1:
//
//	chunked-body = *( size [ BWS ";" ext ] CRLF data CRLF ) 1*"0" [ BWS ";" ext ] CRLF *( trailer CRLF ) CRLF
//
// Every line ends in CRLF; a bare LF or CR is an error wherever it stands (CVE-2025-22871).
type chunkState uint8

const (
	chunkSize    chunkState = iota // hex digits
	chunkPad                       // white space before ';'
	chunkExt                       // extension, dropped
	chunkSizeLF                    // LF of the size line
	chunkData                      // payload
	chunkDataCR                    // CR behind the payload
	chunkDataLF                    // its LF
	chunkEnd                       // first byte behind the last chunk's line
	chunkEndLF                     // LF of the empty line that ends the body
	chunkTrailer                   // in the trailer section
)

// Limits of a chunked body beyond its payload and the least framing it needs (duties 36 and 37 of bench/wire; CVE-2023-39326).
const (
	maxSizeDigits    = 16
	overheadFree     = 16 << 10 // extension bytes, plus one for every eight of payload
	overheadShare    = 8
	maxTrailerBytes  = 8 << 10
	maxTrailerFields = 64
)

// decodeChunks runs the state machine over p; payload is moved together behind its first byte.
func (b *Body) decodeChunks(p []byte) (from, to, used int, err error) {
	i := 0
	for i < len(p) {
		switch b.state {
		case chunkData:
			n := int(min(int64(len(p)-i), b.left))
			if to == from {
				from, to = i, i+n
			} else {
				copy(p[to:], p[i:i+n])
				to += n
			}
			i += n
			if b.left -= int64(n); b.left == 0 {
				b.state = chunkDataCR
			}
		case chunkExt:
			end := textEnd(p, i)
			if err := b.spend(int64(end-i), int64(to-from)); err != nil {
				return from, to, i, err
			}
			if i = end; i == len(p) {
				continue
			}
			if p[i] != '\r' {
				return from, to, i, errChunk
			}
			i++
			b.state = chunkSizeLF
		case chunkTrailer:
			n, err := b.trailerBytes(p[i:])
			if i += n; err != nil || b.done {
				return from, to, i, err
			}
		default:
			if err := b.chunkByte(p[i], int64(to-from)); err != nil {
				return from, to, i, err
			}
			i++
			if b.done {
				return from, to, i, nil
			}
		}
	}
	return from, to, i, nil
}

// spend charges n bytes of no use; fresh is the payload not yet counted in Data.
func (b *Body) spend(n, fresh int64) error {
	b.overhead += n
	if b.overhead > overheadFree+(b.Data+fresh)/overheadShare {
		return errChunkOverhead
	}
	return nil
}

// chunkByte steps over one byte of framing; fresh as in spend.
func (b *Body) chunkByte(c byte, fresh int64) error {
	switch b.state {
	case chunkSize:
		return b.sizeByte(c, fresh)
	case chunkPad:
		switch c {
		case ' ', '\t':
			return b.spend(1, fresh)
		case ';':
			b.state = chunkExt
			return nil
		}
		return errChunk
	case chunkSizeLF:
		if c != '\n' {
			return errChunk
		}
		b.digits = 0
		b.state = chunkData
		if b.left == 0 {
			b.state = chunkEnd
		}
	case chunkDataCR:
		if c != '\r' {
			return errChunk
		}
		b.state = chunkDataLF
	case chunkDataLF:
		if c != '\n' {
			return errChunk
		}
		b.state = chunkSize
	case chunkEnd:
		if c == '\r' {
			b.state = chunkEndLF
			return nil
		}
		if tokens[c] == 0 {
			return errTrailer
		}
		b.section = append(b.section[:0], c)
		b.state = chunkTrailer
	case chunkEndLF:
		if c != '\n' {
			return errChunk
		}
		b.done = true
	default:
		panic("BUG: chunk state takes no single byte")
	}
	return nil
}

// sizeByte reads the size line up to its CR, ';' or white space.
func (b *Body) sizeByte(c byte, fresh int64) error {
	digit := int64(0)
	switch {
	case '0' <= c && c <= '9':
		digit = int64(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		digit = int64(c|0x20-'a') + 10
	case b.digits == 0:
		return errChunk
	case c == '\r':
		b.state = chunkSizeLF
		return nil
	case c == ';':
		b.state = chunkExt
		return nil
	case c == ' ' || c == '\t':
		b.state = chunkPad
		return b.spend(1, fresh)
	default:
		return errChunk
	}
	if b.digits++; b.digits > maxSizeDigits || b.left > (1<<63-1)>>4 {
		return errChunk
	}
	b.left = b.left<<4 | digit
	if b.left == 0 && b.digits > 1 {
		return b.spend(1, fresh)
	}
	return nil
}

// trailerBytes collects the trailer section; at its end it is checked and filtered.
func (b *Body) trailerBytes(p []byte) (int, error) {
	for i, c := range p {
		if len(b.section) == maxTrailerBytes {
			return i, errTrailerLarge
		}
		b.section = append(b.section, c)
		n := len(b.section)
		if c != '\n' {
			continue
		}
		if n < 2 || b.section[n-2] != '\r' {
			return i, errTrailer
		}
		if n >= 4 && b.section[n-3] == '\n' {
			return i + 1, b.endTrailer()
		}
	}
	return len(p), nil
}

// endTrailer validates the section and keeps the lines that may be forwarded (RFC 9110 6.5.1: never merged into the head,
// nothing that frames, routes, authenticates or describes the content).
func (b *Body) endTrailer() error {
	scan := fieldScan{max: maxTrailerFields}
	end, fault := scan.run(b.section, 0)
	switch {
	case fault == faultMany:
		return errTrailerLarge
	case fault != fieldsDone || end != len(b.section):
		return errTrailer
	}
	if b.KeepTrailer {
		for i := range scan.n {
			f := &scan.fields[i]
			name := b.section[f.Start:f.NameEnd]
			if f.kind == kindOther && trailerAllowed(name) && !b.drops(name) {
				b.Trailer = append(b.Trailer, b.section[f.Start:f.End]...)
			}
		}
	}
	b.done = true
	return nil
}

// drops says whether a field stays behind wherever it comes.
func (b *Body) drops(name []byte) bool {
	return slices.ContainsFunc(b.Drop, func(drop string) bool { return equalTwins(name, drop) })
}

// trailerAllowed says whether a field that is no business of a proxy may arrive late.
func trailerAllowed(name []byte) bool {
	for _, prefix := range [...]string{"content-", "proxy-", "if-", "accept"} {
		if hasPrefixFold(name, prefix) {
			return equalFold(name, "content-digest")
		}
	}
	for _, forbidden := range [...]string{
		"age", "date", "expires", "location", "range", "retry-after", "vary", "warning", "www-authenticate",
		"last-modified", "pragma",
	} {
		if equalFold(name, forbidden) {
			return false
		}
	}
	return true
}
