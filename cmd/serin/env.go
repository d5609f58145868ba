package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"

	"serin/proxy/admin"
)

// Exit codes, the contract with scripts and CI.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRolledBack  = 3
	exitTimeout     = 4
	exitHeld        = 5 // or waiting for a person
	exitUnreachable = 6
	exitRefused     = 7  // version or permission
	exitConfig      = 78 // EX_CONFIG of sysexits.h
)

// env is what a verb may touch of the world: stdout takes data, stderr takes talk.
type env struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	started        bool // the command line was understood
}

// exitError ends the process with a code. A nil err is silent: the verb has said all there is to say.
type exitError struct {
	code int
	err  error
	hint string
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(hint, format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// report prints an error as "serin: ..." and "hint: ..." on stderr and says which exit code it means.
func (e *env) report(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) { // Ctrl-C
		fmt.Fprintln(e.stderr, "serin: interrupted")
		return exitFailure
	}
	code, hint := e.judge(err)
	var exit *exitError
	if errors.As(err, &exit) && exit.err == nil {
		return code
	}
	fmt.Fprintln(e.stderr, "serin: "+clean(err.Error()))
	if hint != "" {
		fmt.Fprintln(e.stderr, "hint: "+clean(hint))
	}
	return code
}

func (e *env) judge(err error) (code int, hint string) {
	var exit *exitError
	var unreachable *admin.UnreachableError
	var status *admin.StatusError
	switch {
	case errors.As(err, &exit):
		return exit.code, exit.hint
	case errors.As(err, &unreachable):
		return exitUnreachable, "is the daemon running? --admin ADDR or $SERIN_ADMIN names another address"
	case errors.As(err, &status):
		if status.Status == http.StatusPreconditionFailed || status.Status == http.StatusForbidden || status.Status == http.StatusUnauthorized {
			return exitRefused, status.Hint
		}
		return exitFailure, status.Hint
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout, ""
	case !e.started:
		return exitUsage, "serin --help lists the verbs, serin VERB --help their flags"
	}
	return exitFailure, ""
}

// print writes data.
func (e *env) print(lines ...string) {
	for _, l := range lines {
		fmt.Fprintln(e.stdout, l)
	}
}

// printJSON writes v as indented JSON.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// clean makes text of others safe for a terminal: control characters, and those that turn the direction of
// writing, become spaces.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}
