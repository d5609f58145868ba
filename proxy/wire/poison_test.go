//go:build poison

package wire

import (
	"bytes"
	"testing"
)

func TestPoison_ReleasedBuffer_HoldsNothingOfWhatItHeld(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 2, 1000, SmallBuffer, LargeBuffer} {
		b := bytes.Repeat([]byte("secret"), size/6+1)[:size:size]
		Poison(b[:size/2])
		if bytes.ContainsFunc(b, func(r rune) bool { return r < 0x80 }) || bytes.Count(b, []byte{0xdb}) != size {
			t.Errorf("%d bytes: something is left", size)
		}
	}
}

func TestReader_Release_PoisonsWhatItGivesBack(t *testing.T) { // not beside others: they borrow from the same pool
	var d Reader
	d.Reset(bytes.NewReader([]byte("GET / HTTP/1.1\r\n\r\n")), nil)
	if _, err := d.Fill(0); err != nil {
		t.Fatal(err)
	}
	kept := d.Bytes()
	d.Discard(d.Buffered())
	d.Release()
	if bytes.Contains(kept, []byte("GET")) {
		t.Errorf("a released buffer still holds %q", kept)
	}
}
