package journal

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stubborn fails calls by name.
type stubborn struct {
	FS
	fail map[string]error // write, sync, truncate, rename, create, append, syncdir
	log  []string
}

type stubbornFile struct {
	File
	of   *stubborn
	name string
}

func (s *stubborn) did(op, name string) error {
	s.log = append(s.log, op+" "+filepath.Base(name))
	return s.fail[op]
}

func (s *stubborn) wrap(op, path string, open func(string) (File, error)) (File, error) {
	if err := s.did(op, path); err != nil {
		return nil, err
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	return &stubbornFile{f, s, path}, nil
}

func (s *stubborn) Append(path string) (File, error) { return s.wrap("append", path, s.FS.Append) }
func (s *stubborn) Create(path string) (File, error) { return s.wrap("create", path, s.FS.Create) }
func (s *stubborn) Rename(from, to string) error {
	if err := s.did("rename", to); err != nil {
		return err
	}
	return s.FS.Rename(from, to)
}
func (s *stubborn) SyncDir(dir string) error { return s.did("syncdir", dir) }

func (f *stubbornFile) Write(b []byte) (int, error) {
	if err := f.of.did("write", f.name); err != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return f.File.Write(b)
}

func (f *stubbornFile) Sync() error { return f.of.did("sync", f.name) }
func (f *stubbornFile) Truncate(n int64) error {
	if err := f.of.did("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(n)
}

func TestAppend_DiskFails_NothingCountsAndTheNextOneMends(t *testing.T) {
	for _, fails := range [][]string{{"write"}, {"sync"}, {"write", "truncate"}, {"sync", "truncate"}} {
		t.Run(strings.Join(fails, " and "), func(t *testing.T) {
			mem := new(Memory)
			fs := &stubborn{FS: mem, fail: map[string]error{}}
			j, _ := mustOpen(t, "s", fs)
			must(t, j.Append(decided("checkout", 1, 0, 100)))
			for _, op := range fails {
				fs.fail[op] = syscall.ENOSPC
			}
			if err := j.Append(decided("checkout", 2, 100, 500)); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("got %v, want ENOSPC", err)
			}
			clear(fs.fail)
			must(t, j.Append(decided("checkout", 2, 100, 0)))
			must(t, j.Close())
			_, r := mustOpen(t, "s", mem)
			if got := r.Rollouts["checkout"]; got.State.Weight != 0 || got.Broken != "" || len(r.Warnings) != 0 {
				t.Errorf("got %+v, warnings %q", got, r.Warnings)
			}
		})
	}
}

func TestSave_DiskFails_TheGenerationsStay(t *testing.T) {
	for _, op := range []string{"create", "write", "sync", "rename"} {
		t.Run(op, func(t *testing.T) {
			mem := new(Memory)
			fs := &stubborn{FS: mem, fail: map[string]error{}}
			j, _ := mustOpen(t, "s", fs)
			one := decided("checkout", 1, 0, 100)
			must(t, j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(one)}}))
			fs.fail[op] = syscall.EROFS
			two := decided("checkout", 2, 100, 500)
			if err := j.Save(Saved{Rollouts: map[string]Record{"checkout": recordOf(two)}}); !errors.Is(err, syscall.EROFS) {
				t.Fatalf("got %v, want EROFS", err)
			}
			must(t, j.Close())
			_, r := mustOpen(t, "s", mem)
			if got := r.Rollouts["checkout"]; got.State.Weight != 100 || r.Broken != "" {
				t.Errorf("got %+v, broken %q", got.State, r.Broken)
			}
		})
	}
}

func TestJournal_Writes_AreSyncedBeforeTheyCount(t *testing.T) {
	fs := &stubborn{FS: new(Memory), fail: map[string]error{}}
	j, _ := mustOpen(t, "s", fs)
	must(t, j.Append(decided("checkout", 1, 0, 100)))
	must(t, j.Save(Saved{}))
	must(t, j.Save(Saved{}))
	want := `append decisions.jsonl
syncdir s
write decisions.jsonl
sync decisions.jsonl
create state.json.tmp
write state.json.tmp
sync state.json.tmp
rename state.prev.json
rename state.json
syncdir s
create state.json.tmp
write state.json.tmp
sync state.json.tmp
rename state.prev.json
rename state.json
syncdir s`
	if got := strings.Join(fs.log, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
