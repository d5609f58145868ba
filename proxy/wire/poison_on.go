//go:build poison

package wire

// Poisoned says whether buffers that go back to their pool are overwritten, so that whoever still reads one sees rubbish
// instead of what only looks right: a build for tests.
const Poisoned = true

// Poison overwrites b, up to its capacity.
func Poison(b []byte) {
	b = b[:cap(b)]
	if len(b) > 0 {
		b[0] = 0xdb
	}
	for n := 1; n < len(b); n *= 2 { // by copies: the race detector would look at every byte of a loop
		copy(b[n:], b[:n])
	}
}
