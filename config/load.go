package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxBytes is the size of the largest file that is read.
const maxBytes = 1 << 20

// Options are the package's windows to the world. The zero value is the real one.
type Options struct {
	Getenv   func(name string) string
	ReadFile func(name string) ([]byte, error)
	readKeys func(name string) ([]byte, error)      // ReadFile for larger files
	Stat     func(name string) (fs.FileInfo, error) // tells when a certificate's file changed
	// Certificate is told when a listener's certificate has changed on disk: err is nil when the new one is served, else
	// says why the last good one still is, once for each state of the files. Called during a handshake; nil: nobody is told.
	Certificate func(path string, err error)
}

// orReal fills in what is nil.
func (o Options) orReal() Options {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	o.readKeys = o.ReadFile
	if o.ReadFile == nil {
		o.ReadFile = func(name string) ([]byte, error) { return readCapped(name, maxBytes) }
		o.readKeys = func(name string) ([]byte, error) { return readCapped(name, maxKeyFile) }
	}
	if o.Stat == nil {
		o.Stat = os.Stat
	}
	if o.Certificate == nil {
		o.Certificate = func(string, error) {}
	}
	return o
}

// readCapped reads a file up to one byte beyond the largest there may be, so that a device or a huge file cannot fill
// the memory.
func readCapped(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Load reads and parses the file at path. The plan is nil when there are problems; each problem stands for itself and
// all are found in one run.
func Load(path string, opts Options) (*Plan, []Problem) {
	opts = opts.orReal()
	data, problems := bytesOf(path, opts)
	if len(problems) > 0 {
		return nil, problems
	}
	return Parse(path, data, opts)
}

// bytesOf reads the file.
func bytesOf(path string, opts Options) ([]byte, []Problem) {
	data, err := opts.ReadFile(path)
	if err == nil {
		return data, nil
	}
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return nil, []Problem{{File: path, Text: fmt.Sprintf("read the configuration: %v", err)}}
}

// Parse makes a plan of a file's bytes. Name is for messages, and its directory is where files it names are looked for.
func Parse(name string, data []byte, opts Options) (*Plan, []Problem) {
	d, tree, problems := treeOf(name, data)
	if len(problems) > 0 {
		return nil, problems
	}
	sum := sha256.Sum256(data)
	return d.finish(tree, hex.EncodeToString(sum[:6]), opts.orReal())
}

// treeOf makes a tree of a file's bytes, and the decoder that knows its lines.
func treeOf(name string, data []byte) (*decoder, map[string]any, []Problem) {
	if len(data) > maxBytes {
		return nil, nil, []Problem{{File: name, Text: "the file is larger than 1 MiB"}}
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	d := newDecoder(name, scan(text))
	if d.lines.deep > 0 {
		return nil, nil, []Problem{{File: name, Line: d.lines.deep, Text: fmt.Sprintf("tables, lists and keys nest deeper than %d", maxDepth)}}
	}
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		return nil, nil, []Problem{syntax(name, err)}
	}
	return d, tree, nil
}

// Zero is the configuration without a file: `serin run --stable ADDR --canary ADDR [--listen ADDR]`. Its one rollout is
// named "default": 1, 5, 25, 100 % for at least 15 minutes each, held at half a point more errors than stable or a p99
// a quarter above stable's, rolled back at two points more errors.
func Zero(stable, canary, listen string, opts Options) (*Plan, []Problem) {
	tree := map[string]any{
		"upstream": map[string]any{
			"stable": map[string]any{"servers": []any{stable}},
			"canary": map[string]any{"servers": []any{canary}},
		},
		"rollout": map[string]any{"default": map[string]any{
			"stable": "stable", "canary": "canary",
			"gate": []map[string]any{
				{"metric": "error_rate", "hold": "stable + 0.5pt", "rollback": "stable + 2pt"},
				{"metric": "latency_p99", "hold": "stable * 1.25"},
			},
		}},
	}
	if listen != "" {
		tree["listen"] = map[string]any{"address": listen}
	}
	d := newDecoder("", index{})
	sum := sha256.Sum256([]byte(strings.Join([]string{stable, canary, listen}, "\n")))
	plan, problems := d.finish(tree, hex.EncodeToString(sum[:6]), opts.orReal())
	for i := range problems {
		problems[i].Key = flagOf(problems[i].Key)
	}
	return plan, problems
}

// flagOf names the flag a key of the zero-config form came from.
func flagOf(key string) string {
	switch {
	case strings.HasPrefix(key, "upstream.stable"):
		return "--stable"
	case strings.HasPrefix(key, "upstream.canary"):
		return "--canary"
	case strings.HasPrefix(key, "listen"):
		return "--listen"
	}
	return key
}

// finish decodes a tree and builds the plan of it.
func (d *decoder) finish(tree map[string]any, hash string, opts Options) (*Plan, []Problem) {
	if _, ok := tree["listen"]; !ok {
		tree["listen"] = map[string]any{}
	}
	c := &Config{}
	d.table("", "", tree, reflect.ValueOf(c).Elem())
	b := &builder{
		decoder: d, config: c, opts: opts, dir: filepath.Dir(d.file),
		plan:      &Plan{File: d.file, Hash: hash, config: c, lines: d.lines},
		upstreams: map[string]int{}, used: map[string]bool{}, told: map[string]bool{}, split: map[string]string{}, meant: map[string]bool{},
	}
	b.build()
	if len(d.problems) > 0 {
		return nil, ordered(d.problems)
	}
	b.plan.Warnings = ordered(b.warnings)
	return b.plan, nil
}

// ordered sorts problems by line, and leaves those of one line as they were found.
func ordered(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return slices.Compact(problems)
}

// syntax makes a problem of what the TOML library says.
func syntax(name string, err error) Problem {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return Problem{File: name, Text: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	key, text := parse.LastKey, strings.ReplaceAll(parse.Message, `'\n'`, "the end of the line")
	if twice := definedTwice.FindStringSubmatch(text); twice != nil {
		key, text = twice[1], "is there twice"
	}
	if len(key) > maxName {
		key = key[:maxName] + "..."
	}
	return Problem{
		File: name, Line: parse.Position.Line,
		Key:  strings.Trim(strconv.QuoteToASCII(key), `"`),
		Text: strings.Trim(strconv.QuoteToASCII(text), `"`),
	}
}

// definedTwice is what the TOML library says of a key or table that comes again.
var definedTwice = regexp.MustCompile(`^Key '(.+)' has already been defined\.$`)
