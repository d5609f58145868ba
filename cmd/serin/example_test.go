package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestE2E_Examples runs every README.md of deploy/examples top to bottom, as a reader would: each `$` line of a console
// block goes to one bash, in a copy of the folder, with the built serin first on its path. What is printed must read as
// the README says: runs of digits are equal, and a line `...` stands for any lines. A command that ends in & runs on in the
// background; its output is shown only where the test fails. -update writes into the README what was printed.
func TestE2E_Examples(t *testing.T) {
	folders, err := filepath.Glob("../../deploy/examples/*/README.md")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples found: %v", err)
	}
	for i, file := range folders {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			t.Parallel()
			runExample(t, file, fmt.Sprintf("127.%d.%d.1", 1+os.Getpid()%250, i+1)) // two runs at once do not meet
		})
	}
}

// loopback is the host the examples are written with; each runs on an address of its own.
const loopback = "127.0.0.1"

func runExample(t *testing.T, file, host string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	commands := exampleCommands(lines)
	if len(commands) == 0 {
		t.Fatalf("%s has no console block with a command", file)
	}
	shell := startShell(t, copyExample(t, filepath.Dir(file), host), host)
	changed := false
	for i := range commands {
		c := &commands[i]
		c.got = shell.run(strings.ReplaceAll(c.text, loopback, host))
		if readsAs(c.want, c.got) {
			continue
		}
		changed = true
		if !*update {
			t.Errorf("%s:%d: $ %s\nprinted\n%s\nwant\n%s", file, c.line+1, c.text, indent(c.got), indent(c.want))
			return
		}
		c.rewrite = true
	}
	if !changed {
		return
	}
	for _, c := range slices.Backward(commands) { // so that the lines before stay where they are
		if c.rewrite {
			lines = slices.Replace(lines, c.outputAt, c.outputAt+len(c.want), c.got...)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// exampleCommand is one `$` line with the output that follows it.
type exampleCommand struct {
	text           string
	line, outputAt int // 0-based lines of the README
	want, got      []string
	rewrite        bool
}

// exampleCommands finds the commands of the console blocks. A line that begins with "> " continues the one before it.
func exampleCommands(lines []string) []exampleCommand {
	var out []exampleCommand
	inside := false
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case strings.HasPrefix(line, "$ "):
			out = append(out, exampleCommand{text: line[2:], line: i, outputAt: i + 1})
		case len(out) == 0:
		case strings.HasPrefix(line, "> ") && len(out[len(out)-1].want) == 0:
			c := &out[len(out)-1]
			c.text += "\n" + line[2:]
			c.outputAt = i + 1
		default:
			c := &out[len(out)-1]
			c.want = append(c.want, line)
		}
	}
	return out
}

// copyExample copies the folder, with the host in place of the loopback address.
func copyExample(t *testing.T, folder, host string) string {
	t.Helper()
	dir := t.TempDir()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(string(text), loopback, host)), info.Mode())
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// shell is the bash that an example's commands go to.
type shell struct {
	t         *testing.T
	dir, host string
	in        io.Writer
	out       *bufio.Reader
	cmd       *exec.Cmd
}

func startShell(t *testing.T, dir, host string) *shell {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, dir: dir, host: host, cmd: exec.Command("bash", "--norc", "--noprofile")}
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"), "SERIN_ADMIN="+host+":9180",
		"NO_COLOR=1", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME="+dir)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s.cmd.Stdout
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// stop ends bash and all it started, and shows what the background said when the test failed.
func (s *shell) stop() {
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	s.cmd.Wait()
	if s.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(s.dir, backgroundLog))
		s.t.Logf("in the background:\n%s", log[max(0, len(log)-8000):])
	}
}

const (
	backgroundLog = "background.log"
	endOfCommand  = "--- end of command ---"
)

// run gives bash one command and returns the lines it printed.
func (s *shell) run(command string) []string {
	s.t.Helper()
	line, background := strings.CutSuffix(command, " &")
	if background {
		if strings.HasPrefix(line, "serin ") {
			line = "exec " + line // the job is serin itself: kill %1 ends it
		}
		fmt.Fprintf(s.in, "{ %s ; } </dev/null >>%s 2>&1 &\n", line, backgroundLog)
		s.await(line)
		return nil
	}
	fmt.Fprintf(s.in, "{ %s\n} </dev/null\nprintf '\\n%%s\\n' %q\n", command, endOfCommand)
	hung := time.AfterFunc(3*time.Minute, func() { syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) })
	defer hung.Stop()
	var out []string
	for {
		text, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("$ %s\ndid not end; so far:\n%s", command, indent(out))
		}
		text = strings.TrimSuffix(text, "\n")
		if text == endOfCommand {
			break
		}
		out = append(out, strings.ReplaceAll(strings.ReplaceAll(text, s.host, loopback), s.dir, "."))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

var listens = regexp.MustCompile(`--listen (127\.\S+)`)

// await waits until what was started in the background answers: a reader would wait too.
func (s *shell) await(command string) {
	s.t.Helper()
	var up func() error
	switch at := listens.FindStringSubmatch(command); {
	case strings.Contains(command, "serin run"):
		up = func() error {
			resp, err := http.Get("http://" + s.host + ":9180/healthz/ready")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("it says %s", resp.Status)
			}
			return nil
		}
	case at != nil:
		up = func() error {
			conn, err := net.DialTimeout("tcp", at[1], time.Second)
			if err != nil {
				return err
			}
			return conn.Close()
		}
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		err := up()
		if err == nil {
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			s.t.Fatalf("$ %s &\nis not up: %v", command, err)
		}
	}
}

// What differs from run to run and says nothing to a reader.
var (
	exampleSecrets = regexp.MustCompile(`\b[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]{24,}\b`)
	exampleHashes  = regexp.MustCompile(`-[0-9a-f]{8}\b`)
	exampleNumbers = regexp.MustCompile(`[+-]?[0-9][0-9.,:]*[0-9]|[+-]?[0-9]`)
	exampleSpans   = regexp.MustCompile(`0 (s|min|h|days)( 0 (s|min))?\b`)
	exampleBars    = regexp.MustCompile(`[█▇▆▅▄▃▂▁░▏▎▍▌▋▊▉·─━═]+`)
	exampleSpaces  = regexp.MustCompile(`[ \t]+`)
)

// plain is text without what differs from run to run.
func plain(lines []string) string {
	s := strings.Join(lines, " ")
	s = exampleSecrets.ReplaceAllString(s, "X")
	s = exampleHashes.ReplaceAllString(s, "-0")
	s = exampleNumbers.ReplaceAllString(s, "0")
	s = exampleSpans.ReplaceAllString(s, "0 s")
	s = exampleBars.ReplaceAllString(s, "█")
	return strings.TrimSpace(exampleSpaces.ReplaceAllString(s, " "))
}

// readsAs compares printed lines with the README's, word by word: where a sentence is folded depends on its numbers.
func readsAs(want, got []string) bool {
	var pieces []string // what must come, in this order, with anything where a piece ends
	piece := []string{}
	for _, line := range want {
		if line == "..." {
			pieces = append(pieces, plain(piece))
			piece = piece[:0]
			continue
		}
		piece = append(piece, line)
	}
	pieces = append(pieces, plain(piece))
	rest, ok := strings.CutPrefix(plain(got), pieces[0])
	if !ok || len(pieces) == 1 {
		return ok && rest == ""
	}
	for _, p := range pieces[1 : len(pieces)-1] {
		if _, rest, ok = strings.Cut(rest, p); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, pieces[len(pieces)-1])
}

func indent(lines []string) string { return "    " + strings.Join(lines, "\n    ") }

func TestExample_OutputWithOtherNumbers_ReadsTheSame(t *testing.T) {
	for _, c := range []struct {
		name, want, got string
		same            bool
	}{
		{"other numbers and widths", "weight  25 %  12,034 requests", "weight 25 %   9,101 requests", true},
		{"another length of time", "after 45 s", "after 2 min 3 s", true},
		{"another word", "progressing", "rolled_back", false},
		{"dots stand for any lines", "a\n...\nz", "a\nb\nc\nz", true},
		{"dots stand for no line", "a\n...", "a", true},
		{"dots in the middle twice", "a\n...\nm\n...\nz", "a\nb\nm\nz", true},
		{"dots do not let the end differ", "a\n...\nz", "a\nb\ny", false},
		{"a sentence folded elsewhere", "it was 9 %\nof 10", "it was\n12 % of 10", true},
		{"a line too many", "a", "a\nb", false},
		{"a line missing", "a\nb", "a", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readsAs(strings.Split(c.want, "\n"), strings.Split(c.got, "\n")); got != c.same {
				t.Errorf("%q reads as %q: %v, want %v", c.got, c.want, got, c.same)
			}
		})
	}
}
