package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // zones of release windows, also in an image without any

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"serin/config"
	"serin/config/watch"
	"serin/proxy/listen"
)

func newRunCmd(e *env) *cobra.Command {
	var file, stable, canary, address string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "run -c serin.toml | --stable ADDR --canary ADDR [--listen ADDR]",
		Short: "the proxy: serve, judge, release",
		Long: `run serves the configuration until SIGTERM or SIGINT and then drains: requests under
way finish, idle connections close. A second signal ends it at once.

A new binary is started beside the running one, with the same file, and waits; on the
old one's SIGTERM it takes over state and addresses, and no connection is refused.

The file is watched: a change, SIGHUP or POST /v1/reload puts it in force, or refuses
it whole and says why. Readiness is told to systemd when it asks for it.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" && stable == "" && canary == "" {
				file = e.getenv("SERIN_CONFIG")
			}
			switch {
			case file != "" && (stable != "" || canary != "" || address != ""):
				return usagef("a file says all of it", "-c and --stable, --canary, --listen exclude each other")
			case file == "" && (stable == "" || canary == ""):
				return usagef("serin run -c serin.toml, or serin run --stable 127.0.0.1:9001 --canary 127.0.0.1:9002", "%s", lacking(stable, canary, address))
			}
			return e.serve(cmd.Context(), source{file: file, stable: stable, canary: canary, listen: address, getenv: e.getenv}, wait)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (default $SERIN_CONFIG)")
	cmd.Flags().StringVar(&stable, "stable", "", "address of the version in service, without a file")
	cmd.Flags().StringVar(&canary, "canary", "", "address of the new version, without a file")
	cmd.Flags().StringVar(&address, "listen", "", "address to serve, without a file (default :8080)")
	cmd.Flags().DurationVar(&wait, "wait", time.Minute, "for a serin with the same state directory to be stopped; 0s: fail at once")
	return cmd
}

// lacking says what the form without a file wants.
func lacking(stable, canary, listen string) string {
	switch {
	case stable == "" && canary == "" && listen == "":
		return "nothing to run"
	case stable == "" && canary == "":
		return "--stable and --canary are missing"
	case stable == "":
		return "--stable is missing"
	}
	return "--canary is missing"
}

// source is where the configuration comes from: a file, or three addresses.
type source struct {
	file                   string
	stable, canary, listen string
	getenv                 func(string) string
	certificate            func(path string, err error) // told of certificates that changed
}

func (s source) load() (*config.Plan, []config.Problem) {
	opts := config.Options{Getenv: s.getenv, Certificate: s.certificate}
	if s.file == "" {
		return config.Zero(s.stable, s.canary, s.listen, opts)
	}
	return config.Load(s.file, opts)
}

// serve runs the daemon until ctx ends and it has drained.
func (e *env) serve(ctx context.Context, from source, wait time.Duration) error {
	var watcher *watch.Watcher
	if from.file != "" {
		watcher = watch.New(from.file, watch.Options{}) // before the first load: no change is missed
	}
	level := new(slog.LevelVar)
	var log *slog.Logger
	from.certificate = func(path string, err error) { tellCertificate(log, path, err) } // in a handshake: there is a log by then
	since := time.Now()
	plan, problems := from.load()
	if plan == nil {
		return e.refused(from, problems)
	}
	level.Set(levelOf(plan.Log))
	log = newLog(e.stderr, plan.Log, level)
	for _, w := range plan.Warnings {
		log.Warn("configuration", "file", w.File, "line", w.Line, "key", w.Key, "problem", w.Text, "hint", w.Hint)
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	sockets, err := listen.Inherit()
	if err != nil {
		return errStarted("take over the sockets of the service manager", "", err)
	}
	d, err := newDaemon(ctx, plan, daemonOptions{
		Log: log, Level: level, Version: version, Source: from, Notify: notifySystemd, Sockets: sockets, Wait: wait,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if watcher != nil {
		d.follow = append(d.follow, watcher.Run)
	}
	d.beside.Follow(plan.Files, since)
	d.follow = append(d.follow, d.beside.Run)
	d.follow = append(d.follow, func(ctx context.Context) error {
		d.reloadOn(ctx, hangups, watcher)
		return nil
	})
	return d.Run(ctx)
}

// refused says why nothing is served: the file is invalid, or a flag.
func (e *env) refused(from source, problems []config.Problem) error {
	if from.file == "" {
		texts := make([]string, len(problems))
		for i, p := range problems {
			texts[i] = p.String()
		}
		return usagef("serin run --stable 127.0.0.1:9001 --canary 127.0.0.1:9002", "%s", strings.Join(texts, "; "))
	}
	e.printProblems(problems)
	return &exitError{code: exitConfig, err: fmt.Errorf("%s is invalid: %s; nothing is served", from.file, plural(len(problems), "problem"))}
}

func tellCertificate(log *slog.Logger, path string, err error) {
	if err != nil {
		log.Warn("certificate cannot be used, the last good one is served", "file", path, "err", err)
		return
	}
	log.Info("certificate replaced", "file", path)
}

// reloadOn reloads at every hang-up and every change of the file, one after the other, until ctx ends.
func (d *serinDaemon) reloadOn(ctx context.Context, hangups <-chan os.Signal, w *watch.Watcher) {
	var changes <-chan struct{}
	if w != nil {
		changes = w.Changes()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		case <-changes:
		case <-d.beside.changes:
		}
		if _, err := d.Reload(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errDraining) {
			d.log.Error("reload refused: the running configuration stays", "err", err)
		}
	}
}

// notifySystemd tells the service manager, where there is one.
func notifySystemd(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}

// newLog makes the daemon's log: text on a terminal, JSON elsewhere, unless the configuration says otherwise.
func newLog(w io.Writer, c config.Log, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "text" || c.Format == "" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// errStarted says what could not be started; the hint names the key.
func errStarted(what, hint string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &exitError{code: exitFailure, err: fmt.Errorf("%s: %w", what, err), hint: hint}
}
