package config

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sealed are options that see only the given files and environment.
func sealed(files, env map[string]string) Options {
	return Options{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		Stat: func(name string) (fs.FileInfo, error) {
			return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
		},
	}
}

// golden compares text with a file of testdata, or rewrites it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is stale (rewrite with -update): got\n%s\nwant\n%s", path, got, want)
	}
}

// said writes problems and warnings as a person reads them.
func said(plan *Plan, problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	if plan != nil {
		b.WriteString("ok\n")
		for _, w := range plan.Warnings {
			b.WriteString("warning: " + w.String() + "\n")
		}
	}
	return b.String()
}

func TestParse_EveryFile_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			plan, problems := Parse("serin.toml", data, sealed(map[string]string{"product.token": "of-the-tests-alone"}, nil))
			golden(t, strings.TrimSuffix(path, ".toml")+".txt", said(plan, problems))
			if plan == nil && len(problems) == 0 || plan != nil && len(problems) > 0 {
				t.Errorf("got a plan %v and %d problems", plan != nil, len(problems))
			}
			for _, p := range problems {
				if p.Key != "" && p.Line == 0 || p.Line > bytes.Count(data, []byte("\n"))+1 {
					t.Errorf("%q is on line %d", p, p.Line)
				}
			}
		})
	}
}

func TestReference_IsFresh(t *testing.T) {
	t.Parallel()
	golden(t, "reference.md", Reference())
}

func TestParse_ServersMovedToStable_AreTheSameVersion(t *testing.T) {
	t.Parallel()
	file := func(stable, canary string) *Plan {
		t.Helper()
		plan, problems := Parse("serin.toml", []byte(`
[upstream.v1]
servers = ["`+stable+`"]
[upstream.v2]
servers = ["`+canary+`"]
[rollout.shop]
stable = "v1"
canary = "v2"
ladder = ["5%", "100%"]
[[rollout.shop.gate]]
metric = "error_rate"
hold = "1%"
`), Options{})
		if plan == nil {
			t.Fatal(problems)
		}
		return plan
	}
	before := file("10.0.0.1:80", "10.0.0.2:80").Rollouts[0].Policy
	after := file("10.0.0.2:80", "10.0.0.3:80").Rollouts[0].Policy
	if after.StableAlias != before.Revision {
		t.Errorf("stable's alias %q, want the revision its servers had as the canary, %q", after.StableAlias, before.Revision)
	}
	if after.Revision == before.Revision || after.StableRevision == before.StableRevision {
		t.Errorf("other servers kept their revisions: %q, %q", after.Revision, after.StableRevision)
	}
}
