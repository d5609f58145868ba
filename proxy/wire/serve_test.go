package wire

import (
	"io"
	"testing"
)

func TestFillAndServe_WaitsOnUntilServeLeavesSomething(t *testing.T) {
	t.Parallel()
	d, _, far := connection(t)
	var served []string
	serve := func(uintptr) bool {
		served = append(served, string(d.Bytes()))
		if d.Bytes()[0] == 'b' { // a body, say
			return false
		}
		d.Discard(d.Buffered())
		_, _ = far.Write([]byte("body")) // what comes meanwhile is no lost news
		return true
	}
	if _, err := far.Write([]byte("head")); err != nil {
		t.Fatal(err)
	}
	n, err := d.FillAndServe(0, serve)
	if n != 4 || err != nil || string(d.Bytes()) != "body" || len(served) != 2 || served[0] != "head" {
		t.Fatalf("got %d, %v, %q left, %q served, want body left of head and body", n, err, d.Bytes(), served)
	}
	d.Discard(4)
	if _, err := far.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Fill(0); err != nil || string(d.Bytes()) != "more" || len(served) != 2 {
		t.Errorf("got %v, %q, %d served: Fill serves nobody", err, d.Bytes(), len(served))
	}
	d.Discard(4)
	_ = far.Close()
	if _, err := d.FillAndServe(0, serve); err != io.EOF || len(served) != 2 {
		t.Errorf("got %v, %d served at the end, want io.EOF", err, len(served))
	}
}

func TestFillAndServe_FullBuffer_IsNotServed(t *testing.T) {
	t.Parallel()
	d, _, far := connection(t)
	go func() { _, _ = far.Write(make([]byte, 2*SmallBuffer)) }()
	for got := 0; got < 2*SmallBuffer; {
		n, err := d.FillAndServe(0, func(uintptr) bool {
			if d.Buffered() >= SmallBuffer-headroom-tailroom {
				t.Errorf("served with %d bytes, behind which more may wait unannounced", d.Buffered())
			}
			return false
		})
		if err != nil {
			t.Fatal(err)
		}
		got += n
		d.Discard(d.Buffered())
	}
}
