// Command serin is a reverse proxy that releases a new version by itself. This package joins the rooms: one file a verb,
// run.go and assemble.go for the daemon.
//
//	serin run  -> config -> assemble -> proxy, control loop, admin API
//	other verbs -> admin.Client -> the daemon's answer, as text or JSON; the exit code tells how the rollout stands
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker (-X main.version=...).
var version = "devel"

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2) // room for the second while the first is being taken
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		if second, ok := (<-signals).(syscall.Signal); ok { // it ends us at once, as if nobody had listened
			signal.Reset(second)
			_ = syscall.Kill(os.Getpid(), second)
		}
	}()
	e := &env{stdout: &paper{File: os.Stdout}, stderr: os.Stderr, getenv: os.Getenv}
	os.Exit(e.run(ctx, os.Args[1:]))
}

// run executes the command line and returns the exit code.
func (e *env) run(ctx context.Context, args []string) int {
	root := newRootCmd(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if p, ok := e.stdout.(*paper); ok && err == nil && p.failed() != nil {
		err = &exitError{code: exitFailure, err: p.failed(), hint: "what was written is not whole"}
	}
	return e.report(err)
}

func newRootCmd(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "serin",
		Short: "a reverse proxy that releases a new version by itself",
		Long: `serin sends each user to the stable or the canary version by a stable hash,
measures both in memory, and widens, holds or reverts on the evidence.

Exit codes: 0 ok or completed, 1 error, 2 usage, 3 rolled back, 4 timeout,
5 held or waiting for a person, 6 daemon unreachable, 7 refused (version or
permission), 78 invalid configuration.`,
		Version:       build().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// Distance 2 is cobra's own choice; it has to be said where a verb has its own Args.
		SuggestionsMinimumDistance: 2,
		Args:                       knownVerb,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// Everything that fails before this is a mistake on the command line.
		PersistentPreRun: func(*cobra.Command, []string) { e.started = true },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.AddCommand(
		newRunCmd(e), newDemoCmd(e), newCheckCmd(e), newSimulateCmd(e), newReplayCmd(e),
		newStatusCmd(e), newWatchCmd(e), newWhyCmd(e), newLogCmd(e), newExplainCmd(e), newWaitCmd(e), newAckCmd(e), newNotifyCmd(e),
		newDrillCmd(e), newConfigCmd(e), newVersionCmd(e),
	)
	root.AddCommand(newActCmds(e)...)
	ownWords(root)
	e.completes(root)
	return root
}
