package wire

import (
	"io"
	"strconv"
)

// Body decodes one message body, pushed as bytes arrive. Reuse one per direction. The zero value is a body that is
// nobody's: Reset it first. Not safe for concurrent use.
type Body struct {
	Framing     Framing
	Data        int64    // payload bytes delivered so far
	Trailer     []byte   // complete, filtered trailer lines once Done, when KeepTrailer
	KeepTrailer bool     // the receiver said TE: trailers; set after Reset
	Drop        []string // names that are no trailers either; '_' counts as '-'; set after Reset

	left     int64 // payload bytes of the body (Length) or of the chunk still due
	limit    int64 // payload, 0: none
	overhead int64 // bytes of extensions and of zeros before chunk sizes
	digits   int   // of the chunk size so far
	state    chunkState
	done     bool
	closed   bool // the last chunk has been written to the receiver
	section  []byte
}

// Reset prepares b for a message. n is the length with Length; limit bounds the payload (413), 0: none. Keeps memory.
func (b *Body) Reset(f Framing, n, limit int64) {
	*b = Body{Framing: f, limit: limit, Trailer: b.Trailer[:0], section: b.section[:0]}
	switch f {
	case NoBody:
		b.done = true
	case Length:
		b.left, b.done = n, n == 0
	}
}

// Decode takes the next received bytes and returns the payload among them, which aliases p (moved together in place),
// and how many bytes of p belong to this body. used < len(p) only when Done. Errors are *Error (400, 413, 431): the body
// is broken and can't be finished.
func (b *Body) Decode(p []byte) (data []byte, used int, err error) {
	from, to, used, err := b.decode(p)
	return p[from:to], used, err
}

// decode is Decode with the payload as offsets into p.
func (b *Body) decode(p []byte) (from, to, used int, err error) {
	if b.done {
		return 0, 0, 0, nil
	}
	switch b.Framing {
	case Length:
		to = int(min(int64(len(p)), b.left))
		b.left -= int64(to)
		b.done = b.left == 0
		used = to
	case UntilClose:
		to, used = len(p), len(p)
	case Chunked:
		from, to, used, err = b.decodeChunks(p)
	case NoBody:
	}
	b.Data += int64(to - from)
	if err == nil && b.limit > 0 && b.Data > b.limit {
		err = errBodyLarge
	}
	if err != nil {
		return 0, 0, used, err
	}
	return from, to, used, nil
}

// Done says whether the body is complete. A NoBody or Length 0 body is done at once, an UntilClose one after End.
func (b *Body) Done() bool { return b.done }

// End tells b that the connection ended: nil when that completes the body (UntilClose, Done), else io.ErrUnexpectedEOF.
func (b *Body) End() error {
	if b.Framing == UntilClose {
		b.done = true
	}
	if b.done {
		return nil
	}
	return io.ErrUnexpectedEOF
}

// Append decodes the bytes of p that belong to the body and appends them to dst framed as out, last chunk and trailers
// included when the body is complete: how the bytes received with a head travel in the same write as the head.
func (b *Body) Append(dst, p []byte, out Framing) (to []byte, used int, err error) {
	data, used, err := b.Decode(p)
	if err != nil {
		return dst, used, err
	}
	if out != Chunked {
		return append(dst, data...), used, nil
	}
	if len(data) > 0 {
		dst = strconv.AppendInt(dst, int64(len(data)), 16)
		dst = append(dst, "\r\n"...)
		dst = append(dst, data...)
		dst = append(dst, "\r\n"...)
	}
	return b.appendLast(dst), used, nil
}

// appendLast appends the last chunk and the trailers of a body that is done, once.
func (b *Body) appendLast(dst []byte) []byte {
	if !b.done || b.closed || b.Framing == NoBody {
		return dst
	}
	b.closed = true
	dst = append(dst, "0\r\n"...)
	dst = append(dst, b.Trailer...)
	return append(dst, "\r\n"...)
}
