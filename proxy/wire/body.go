package wire

// Body decodes one message body, pushed as bytes arrive. Reuse one per direction.
type Body struct {
	Framing     Framing
	Data        int64  // payload bytes delivered so far
	Trailer     []byte // complete, filtered trailer lines once Done, when KeepTrailer
	KeepTrailer bool   // the receiver said TE: trailers

	done bool
}

// Reset prepares b for a message. n is the length with Length; limit bounds the payload (413), 0: none.
func (b *Body) Reset(f Framing, n, limit int64) { panic("BUG: filled in next") }

// Decode takes the next received bytes and returns the payload among them, which aliases p (moved together in place),
// and how many bytes of p belong to this body. used < len(p) only when Done. Errors are *Error (400, 413, 431): the body
// is broken and can't be finished.
func (b *Body) Decode(p []byte) (data []byte, used int, err error) { panic("BUG: filled in next") }

// Done says whether the body is complete. A NoBody or Length 0 body is done at once, an UntilClose one after End.
func (b *Body) Done() bool { return b.done }

// Remaining is the number of payload bytes still due with Length, else -1 (unknown) or 0 (done).
func (b *Body) Remaining() int64 { panic("BUG: filled in next") }

// End tells b that the connection ended: nil when that completes the body (UntilClose, Done), else io.ErrUnexpectedEOF.
func (b *Body) End() error { panic("BUG: filled in next") }

// Append decodes the bytes of p that belong to the body and appends them to dst framed as out, last chunk and trailers
// included when the body is complete: how the bytes received with a head travel in the same write as the head.
func (b *Body) Append(dst, p []byte, out Framing) (to []byte, used int, err error) {
	panic("BUG: filled in next")
}
