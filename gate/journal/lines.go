package journal

import (
	"bufio"
	"io"
)

// maxLineBytes bounds the memory one line may take; what is longer is read to its end and is damaged.
const maxLineBytes = 4 << 20

// lines reads a file line by line, forwards.
type lines struct {
	r   *bufio.Reader
	buf []byte
	at  int64 // behind the last whole line
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next is the next line without its newline; with io.EOF the rest that has none. The bytes are good until the next call.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	read := int64(0)
	for {
		part, err := l.r.ReadSlice('\n')
		read += int64(len(part))
		if len(l.buf)+len(part) <= maxLineBytes {
			l.buf = append(l.buf, part...)
		}
		switch err {
		case nil:
			l.at += read
			if int64(len(l.buf)) != read {
				return nil, nil
			}
			return l.buf[:len(l.buf)-1], nil
		case bufio.ErrBufferFull:
		default:
			return l.buf, err
		}
	}
}

// linesBackwards reads a file line by line from its end. What follows the last newline is no line yet.
type linesBackwards struct {
	r    io.ReaderAt
	from int64  // file offset of rest
	rest []byte // read, not yet given
}

const backwardsBytes = 64 << 10

// next is the line before; io.EOF before the first. A line longer than maxLineBytes ends the reading.
func (l *linesBackwards) next() ([]byte, error) {
	scanned := 0 // bytes at the end of rest that hold no newline
	for {
		for i := len(l.rest) - 1 - scanned; i >= 0; i-- {
			if l.rest[i] == '\n' {
				line := l.rest[i+1:]
				l.rest = l.rest[:i]
				return line, nil
			}
		}
		scanned = len(l.rest)
		if l.from == 0 {
			if scanned == 0 {
				return nil, io.EOF
			}
			line := l.rest
			l.rest = nil
			return line, nil
		}
		if scanned > maxLineBytes {
			return nil, io.EOF
		}
		n := min(backwardsBytes, l.from)
		block := make([]byte, n, n+int64(scanned))
		if _, err := l.r.ReadAt(block, l.from-n); err != nil && err != io.EOF {
			return nil, err
		}
		l.rest, l.from = append(block, l.rest...), l.from-n
	}
}
