//go:build poison

package wire

// Poisoned says whether buffers that go back to their pool are overwritten, so that whoever still reads one sees rubbish
// instead of what only looks right: a build for tests.
const Poisoned = true

// Poison overwrites b, up to its capacity.
func Poison(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = 0xdb
	}
}
