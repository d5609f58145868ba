package sim

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

var (
	runs  = flag.Int("sim.runs", 1, "runs of each world; some have 5 or 8 times as many")
	only  = flag.String("sim.only", "", "play only worlds whose name has this in it")
	write = flag.Bool("sim.write", false, "write testdata/bars.md")
)

// TestBars plays every world and holds it against its bar. With -v it prints the table; `make sim` plays 200 runs a world.
func TestBars(t *testing.T) {
	var table strings.Builder
	out := io.Writer(&table)
	if testing.Verbose() {
		out = io.MultiWriter(&table, os.Stdout)
	}
	if err := writeHeader(out); err != nil {
		t.Fatal(err)
	}
	err := playBars(*runs, *only, func(r result) {
		if err := r.write(out); err != nil {
			t.Error(err)
		}
		if r.Missed != nil {
			t.Errorf("%s, %s: %v (want: %s)", r.Group, r.World, r.Missed, r.Bar)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if *write {
		text := fmt.Sprintf("Made by `go test ./gate/sim -run TestBars -sim.runs=%d -timeout 4h -sim.write`.\n\n%s", *runs, table.String())
		if err := os.WriteFile("testdata/bars.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
