package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxOutput is what is kept of a program's output, for the log of a failure.
const maxOutput = 1 << 10

// passed are the variables a program gets of ours: no secret of the daemon's environment is among them.
var passed = []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"}

// runCommand starts the program with the notice as JSON on stdin, in a process group of its own, which ctx ends. Exit code 0
// is told; anything else is tried again.
func runCommand(ctx context.Context, argv []string, n *Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(append(body, '\n'))
	out := &tail{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	for _, name := range passed {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, "SERIN_EVENT="+n.Event, "SERIN_STATE="+n.State, "SERIN_ROLLOUT="+n.Rollout, "SERIN_SEVERITY="+n.Severity)
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("run %s: %w", argv[0], context.Cause(ctx))
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // the latter: exit code 0, and a child that still has the output open
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("run %s: not found", argv[0])
	}
	if said := strings.TrimSpace(out.String()); said != "" {
		return fmt.Errorf("run %s: %w: %s", argv[0], err, said)
	}
	return fmt.Errorf("run %s: %w", argv[0], err)
}

// tail keeps the first bytes written to it and forgets the rest.
type tail struct{ bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	if room := maxOutput - t.Len(); room > 0 {
		t.Buffer.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}
