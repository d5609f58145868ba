package main

import "testing"

func TestMarkServed_TellsOfAPredecessorUntilItIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var marks []interface{ Close() error }
	serve := func(want bool) {
		t.Helper()
		mark, predecessor, err := markServed(dir)
		if err != nil {
			t.Fatal(err)
		}
		if predecessor != want {
			t.Errorf("process %d: predecessor %v, want %v", len(marks)+1, predecessor, want)
		}
		marks = append(marks, mark)
	}
	serve(false)
	serve(true)
	serve(true)
	for _, m := range marks {
		_ = m.Close()
	}
	serve(false)
	_ = marks[len(marks)-1].Close()
}
