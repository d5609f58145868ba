//go:build poison

package wire

// Poison overwrites a buffer that goes back to its pool, up to its capacity, so that whoever still reads it sees rubbish
// instead of what only looks right: a build for tests.
func Poison(b []byte) {
	b = b[:cap(b)]
	if len(b) > 0 {
		b[0] = 0xdb
	}
	for n := 1; n < len(b); n *= 2 { // by copies: the race detector would look at every byte of a loop
		copy(b[n:], b[:n])
	}
}
