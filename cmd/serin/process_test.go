package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// sampleEnv makes the test binary a sample service of that version: the upstreams of the end-to-end tests are processes
// of their own, as a user's are.
const sampleEnv = "SERIN_TEST_SAMPLE"

func TestMain(m *testing.M) {
	if version := os.Getenv(sampleEnv); version != "" {
		os.Exit(sampleMain(version))
	}
	if path := os.Getenv(dialerEnv); path != "" {
		os.Exit(dialerMain(path))
	}
	flag.Parse()
	// The end-to-end tests wait far more than they compute.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if dir := buildDir; dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func sampleMain(version string) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(l.Addr())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // the parent's end of the pipe closing is our end
		bufio.NewReader(os.Stdin).ReadByte()
		cancel()
	}()
	if err := newSampleService(version, behaviour{}).Serve(ctx, l); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

var buildDir string

// binary builds serin once and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "serin-e2e-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "serin")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// sample is a sample service running as a process.
type sample struct {
	t       *testing.T
	Address string
	cmd     *exec.Cmd
}

// startSample starts a sample service that answers as how says.
func startSample(t *testing.T, version string, how behaviour) *sample {
	t.Helper()
	s := &sample{t: t, cmd: exec.Command(os.Args[0])}
	s.cmd.Env = append(os.Environ(), sampleEnv+"="+version)
	s.cmd.Stderr = os.Stderr
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); s.cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("sample service %s did not start: %v", version, err)
	}
	s.Address = strings.TrimSpace(line)
	s.Behave(how)
	return s
}

// Behave changes how the service answers.
func (s *sample) Behave(how behaviour) {
	s.t.Helper()
	body, err := json.Marshal(how)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.Post("http://"+s.Address+behaviourPath, "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		s.t.Fatalf("sample service answered %s", resp.Status)
	}
}

// Kill ends the service at once; its port refuses from then on.
func (s *sample) Kill() { s.cmd.Process.Kill(); s.cmd.Wait() }
