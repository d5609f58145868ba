package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors is the house: a package imports only packages of lower floors. Tests may look up and sideways.
var floors = map[string]int{
	"router": 0, "router/token": 0, "gate/window": 0, "gate/evidence": 0, "config/watch": 0,
	"proxy/socket": 0, "proxy/shadow": 0, "gate/calendar": 0,
	"gate": 1, "router/flag": 1, "proxy/wire": 1, "proxy/deadline": 1,
	"gate/experiment": 2, "gate/criterion": 2, "gate/ladder": 2, "gate/probe": 2, "gate/signal": 1, "gate/journal": 2, "gate/notify": 2, "gate/fleet": 2,
	"proxy/upstream": 2, "proxy/listen": 2,
	"config": 3, "gate/sim": 3, "proxy": 3,
	"gate/control": 4, "gate/replay": 3,
	"proxy/trace": 4,
	"proxy/admin": 5, "proxy/admin/dashboard/test/stand": 6, "bench": 5, "bench/wire": 5, "bench/chaos": 5,
	"bench/process": 4,
	"cmd/serin":     6,
}

// keepers names, for a module, the rooms that may import it; everybody else meets it through them.
var keepers = map[string][]string{
	"github.com/valyala/fasthttp":  {"proxy", "proxy/wire", "proxy/upstream", "proxy/listen"},
	"github.com/BurntSushi/toml":   {"config"},
	"github.com/fsnotify/fsnotify": {"config/watch"},
	"github.com/cespare/xxhash":    {"router"},
	"github.com/spf13/cobra":       {"cmd/serin"},
	"github.com/coreos/go-systemd": {"cmd/serin", "proxy/listen"},
	"github.com/VictoriaMetrics":   {"proxy/admin"},
}

// barred names what a pure room may not import: its answers depend on its arguments alone.
var barred = map[string][]string{
	"router":          {"os", "net/http", "math/rand", "math/rand/v2", "sync", "io"},
	"gate":            {"os", "net", "net/http", "math/rand", "math/rand/v2", "sync", "sync/atomic"},
	"gate/evidence":   {"os", "net", "net/http", "math/rand", "math/rand/v2", "sync"},
	"gate/criterion":  {"os", "net", "net/http", "math/rand", "math/rand/v2", "sync"},
	"gate/experiment": {"os", "net", "net/http", "math/rand", "math/rand/v2", "sync"},
	"router/flag":     {"os", "net", "net/http", "math/rand", "math/rand/v2", "sync"},
	"gate/ladder":     {"os", "net", "net/http", "math/rand", "math/rand/v2", "sync"},
	"gate/control":    {"net/http"},
}

// topLevel is fixed (CONTRIBUTING.md draws it).
var topLevel = []string{"cmd", "proxy", "router", "gate", "config", "bench", "deploy"}

func TestFloors_ImportsGoStrictlyDown(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") && rel != "." || entry.Name() == "testdata" || entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		checkFile(t, file, path.Dir(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, file, room string) {
	t.Helper()
	floor, known := floors[room]
	if !known {
		t.Errorf("%s: room %q stands on no floor: add it to the picture, or move the file", file, room)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if below, own := strings.CutPrefix(imported, "serin/"); own && floors[below] >= floor {
			t.Errorf("%s: %s (floor %d) imports %s (floor %d)", file, room, floor, below, floors[below])
		}
		for module, rooms := range keepers {
			if strings.HasPrefix(imported, module) && !slices.Contains(rooms, room) {
				t.Errorf("%s: %s imports %s, which only %v may", file, room, imported, rooms)
			}
		}
		if slices.Contains(barred[room], imported) {
			t.Errorf("%s: %s is pure and may not import %s", file, room, imported)
		}
	}
}

func TestFloors_TopLevelIsFixed(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	made := []string{"bin", "node_modules", "serin-state"} // by make and by serin, and not kept
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || slices.Contains(made, entry.Name()) {
			continue
		}
		if !slices.Contains(topLevel, entry.Name()) {
			t.Errorf("top level has %q; it is fixed to %v", entry.Name(), topLevel)
		}
	}
}
