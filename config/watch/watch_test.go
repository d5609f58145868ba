package watch

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends a test that would wait for ever; none waits for it when all is well.
const patience = 20 * time.Second

// running is a Watcher whose looks and notices a test waits for.
type running struct {
	*Watcher
	t      *testing.T
	looks  chan bool
	ended  chan error
	cancel context.CancelFunc
}

// start runs a watcher until the test ends. The poll is far off unless asked for, so that only events can be the cause.
func start(t *testing.T, path string, opts Options) *running {
	t.Helper()
	if opts.Poll == 0 {
		opts.Poll = time.Hour
	}
	if opts.Debounce == 0 {
		opts.Debounce = 10 * time.Millisecond
	}
	r := &running{t: t, looks: make(chan bool, 10000), ended: make(chan error, 1)}
	opts.looked = func(changed bool) { r.looks <- changed }
	r.Watcher = New(path, opts)
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	if r.look() {
		t.Fatal("the first look, at the bytes there were, is a change")
	}
	return r
}

// look waits for the next look and returns what it found.
func (r *running) look() bool {
	r.t.Helper()
	select {
	case changed := <-r.looks:
		return changed
	case <-time.After(patience):
		r.t.Fatal("nobody looked at the file")
		return false
	}
}

// change waits for a notice.
func (r *running) change() {
	r.t.Helper()
	select {
	case <-r.Changes():
	case <-time.After(patience):
		r.t.Fatal("no notice of the change")
	}
}

// none fails when a notice is waiting.
func (r *running) none() {
	r.t.Helper()
	select {
	case <-r.Changes():
		r.t.Fatal("a notice though no byte changed")
	default:
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serin.toml")
	write(t, path, "one")
	return path
}

func TestWatcher_WriteInPlace_Notices(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{})
	write(t, path, "two")
	r.change()
}

func TestWatcher_RenameOver_NoticesEveryTime(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{})
	for _, text := range []string{"two", "three", "four"} {
		write(t, path+".new", text)
		do(t, os.Rename(path+".new", path))
		r.change()
	}
}

func TestWatcher_SameBytes_IsNoChange(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{})
	write(t, path+".new", "one")
	do(t, os.Rename(path+".new", path))
	if r.look() {
		t.Fatal("a file replaced by its equal is a change")
	}
	r.none()
}

func TestWatcher_RemovedAndBack_NoticesOnlyOtherBytes(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{})
	do(t, os.Remove(path))
	if r.look() {
		t.Fatal("a removed file is a change")
	}
	write(t, path, "one")
	if r.look() {
		t.Fatal("a file that is back unchanged is a change")
	}
	do(t, os.Remove(path))
	r.look()
	write(t, path, "two")
	r.change()
}

func TestWatcher_OtherFilesInTheDirectory_AreNotLookedAt(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{})
	for range 100 {
		write(t, filepath.Join(filepath.Dir(path), "decisions.jsonl"), "line")
	}
	write(t, path+".new", "two")
	do(t, os.Rename(path+".new", path))
	r.change()
	if looks := len(r.looks); looks > 1 {
		t.Errorf("looked %d times for one change", looks)
	}
}

// kubernetes lays out a mounted ConfigMap: serin.toml -> ..data/serin.toml, ..data -> ..1.
func kubernetes(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	do(t, os.Mkdir(filepath.Join(dir, "..1"), 0o700))
	write(t, filepath.Join(dir, "..1", "serin.toml"), "one")
	do(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	path = filepath.Join(dir, "serin.toml")
	do(t, os.Symlink(filepath.Join("..data", "serin.toml"), path))
	return dir, path
}

func TestWatcher_KubernetesSwap_NoticesEveryTime(t *testing.T) {
	dir, path := kubernetes(t)
	r := start(t, path, Options{})
	for i, text := range []string{"two", "three", "four"} {
		fresh := "..." + string(rune('a'+i))
		do(t, os.Mkdir(filepath.Join(dir, fresh), 0o700))
		write(t, filepath.Join(dir, fresh, "serin.toml"), text)
		do(t, os.Symlink(fresh, filepath.Join(dir, "..data_tmp")))
		old, err := os.Readlink(filepath.Join(dir, "..data"))
		do(t, err)
		do(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		do(t, os.RemoveAll(filepath.Join(dir, old)))
		r.change()
	}
}

func TestWatcher_LinkIntoAnotherDirectory_NoticesAWriteThere(t *testing.T) {
	target := newFile(t)
	path := filepath.Join(t.TempDir(), "serin.toml")
	do(t, os.Symlink(target, path))
	r := start(t, path, Options{})
	write(t, target, "two")
	r.change()
	elsewhere := newFile(t)
	write(t, elsewhere, "three")
	do(t, os.Symlink(elsewhere, path+".new"))
	do(t, os.Rename(path+".new", path))
	r.change()
	write(t, elsewhere, "four")
	r.change()
}

func TestWatcher_PartialWrites_AreReadWhenTheyRest(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{Debounce: 400 * time.Millisecond})
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	do(t, err)
	for range 50 {
		_, err := f.WriteString("part ")
		do(t, err)
	}
	do(t, f.Close())
	r.change()
	r.look()
	if looks := len(r.looks); looks > 0 {
		t.Errorf("the file was read %d more times than once", looks)
	}
}

func TestWatcher_ManyChanges_AreOneNotice(t *testing.T) {
	path := newFile(t)
	r := start(t, path, Options{})
	write(t, path, "two")
	for !r.look() {
	}
	write(t, path, "three")
	for !r.look() {
	}
	r.change()
	r.none()
}

func TestWatcher_WithoutEvents_PollsAndSaysSo(t *testing.T) {
	path := newFile(t)
	causes := make(chan error, 10)
	w := New(path, Options{Poll: time.Millisecond, Degraded: func(err error) { causes <- err }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	w.degraded(syscall.EMFILE)
	w.degraded(syscall.EMFILE)
	go func() { ended <- w.loop(ctx, nil, nil) }()
	write(t, path, "two and longer")
	select {
	case <-w.Changes():
	case <-time.After(patience):
		t.Fatal("the poll sees nothing")
	}
	cancel()
	if err := <-ended; err != nil || len(causes) != 1 {
		t.Errorf("got %v and %d causes, want nil and 1", err, len(causes))
	}
}

func TestWatcher_DirectoryMadeAnew_IsSeenByThePoll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc")
	do(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "serin.toml")
	write(t, path, "one")
	r := start(t, path, Options{Poll: 5 * time.Millisecond})
	do(t, os.RemoveAll(dir))
	do(t, os.Mkdir(dir, 0o700))
	write(t, path, "two")
	r.change()
	write(t, path, "three")
	r.change()
}

func TestWatcher_ChangeBetweenNewAndRun_IsNoticed(t *testing.T) {
	path := newFile(t)
	w := New(path, Options{Poll: time.Hour})
	write(t, path, "two")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-w.Changes()
	cancel()
	<-ended
}

func TestTrace_ALoopOfLinks_Ends(t *testing.T) {
	dir := t.TempDir()
	do(t, os.Symlink("b", filepath.Join(dir, "a")))
	do(t, os.Symlink("a", filepath.Join(dir, "b")))
	names, _ := trace(filepath.Join(dir, "a"))
	if len(names) == 0 {
		t.Error("a loop of links has no name at all")
	}
}
