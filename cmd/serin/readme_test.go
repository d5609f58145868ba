package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"serin/config"
)

// documents are the pages whose every word about files, targets and verbs is checked.
var documents = []string{"README.md", "CONTRIBUTING.md", "deploy/README.md"}

var (
	linkTarget  = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	codeSpan    = regexp.MustCompile("`([^`\n]+)`")
	rule        = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	longFlag    = regexp.MustCompile(`^--([a-z][a-z-]*)`)
	shortFlag   = regexp.MustCompile(`^-([a-zA-Z])$`)
	makeTarget  = regexp.MustCompile(`^[a-z][a-z-]*$`)
	rolloutFile = regexp.MustCompile("(?s)## In front of two processes\n.*?```toml\n(.*?)```")
)

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commandsNamed are the command lines a document names: code in a sentence, and the `$` lines of its blocks.
func commandsNamed(text string) []string {
	var lines []string
	for i, part := range strings.Split(text, "```") {
		if i%2 == 0 {
			for _, m := range codeSpan.FindAllStringSubmatch(part, -1) {
				lines = append(lines, m[1])
			}
			continue
		}
		for line := range strings.Lines(part) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				lines = append(lines, command)
			}
			if strings.HasPrefix(line, "make ") {
				lines = append(lines, line)
			}
		}
	}
	for i, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		lines[i] = strings.Replace(strings.TrimSpace(line), "go run ./cmd/serin", "serin", 1)
	}
	return lines
}

func TestDocuments_LinksAndPictures_Exist(t *testing.T) {
	t.Parallel()
	for _, name := range documents {
		seen := 0
		for _, m := range linkTarget.FindAllStringSubmatch(document(t, name), -1) {
			target, _, _ := strings.Cut(m[1]+m[2], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			seen++
			if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(name), filepath.FromSlash(target))); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
		if name == "README.md" && seen < 10 {
			t.Errorf("%s: found %d links only", name, seen)
		}
	}
}

func TestDocuments_MakeTargets_Exist(t *testing.T) {
	t.Parallel()
	var targets []string
	for _, m := range rule.FindAllStringSubmatch(document(t, "Makefile"), -1) {
		targets = append(targets, m[1])
	}
	for _, name := range documents {
		seen := 0
		for _, line := range commandsNamed(document(t, name)) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "make" {
				continue
			}
			for _, word := range words[1:] {
				if !makeTarget.MatchString(word) {
					continue // a variable
				}
				seen++
				if !slices.Contains(targets, word) {
					t.Errorf("%s says `%s`: the Makefile has no target %s", name, line, word)
				}
			}
		}
		if seen == 0 {
			t.Errorf("%s: found no make target", name)
		}
	}
}

func TestDocuments_VerbsAndFlags_Exist(t *testing.T) {
	t.Parallel()
	root := newRootCmd(&env{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv})
	root.InitDefaultCompletionCmd("completion")
	seen := 0
	for _, name := range documents {
		for _, line := range commandsNamed(document(t, name)) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "serin" {
				continue
			}
			for verb := range strings.SplitSeq(words[1], "|") {
				seen++
				if problem := misspoken(root, append([]string{verb}, words[2:]...)); problem != "" {
					t.Errorf("%s says `%s`: %s", name, line, problem)
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("found %d verbs only", seen)
	}
}

// misspoken is what is wrong with a command line that a document names; empty when nothing is.
func misspoken(root *cobra.Command, words []string) string {
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root {
		return "there is no verb " + words[0]
	}
	cmd.InitDefaultHelpFlag()
	for _, word := range rest {
		if m := longFlag.FindStringSubmatch(word); m != nil && cmd.Flag(m[1]) == nil {
			return cmd.CommandPath() + " has no flag --" + m[1]
		}
		if m := shortFlag.FindStringSubmatch(word); m != nil && cmd.Flags().ShorthandLookup(m[1]) == nil {
			return cmd.CommandPath() + " has no flag -" + m[1]
		}
	}
	return ""
}

func TestMisspoken_WrongWords_AreSeen(t *testing.T) {
	t.Parallel()
	root := newRootCmd(&env{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv})
	for line, want := range map[string]string{
		"watch shop":                     "",
		"wait shop --for completed":      "",
		"check -c serin.toml --rps=200":  "",
		"wach shop":                      "there is no verb wach",
		"wait shop --until completed":    "serin wait has no flag --until",
		"status -Z":                      "serin status has no flag -Z",
		"demo load --to x --rps 1 --nil": "serin demo load has no flag --nil",
	} {
		if got := misspoken(root, strings.Fields(line)); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func TestReadme_FileOfTwoProcesses_IsAPlan(t *testing.T) {
	t.Parallel()
	m := rolloutFile.FindStringSubmatch(document(t, "README.md"))
	if m == nil {
		t.Fatal("README.md has no file in \"In front of two processes\"")
	}
	plan, problems := config.Parse("serin.toml", []byte(m[1]), config.Options{})
	for _, p := range problems {
		t.Error(p)
	}
	if plan == nil || len(plan.Rollouts) != 1 || plan.Rollouts[0].Name != "checkout" {
		t.Errorf("got %+v, want one rollout, checkout", plan)
	}
}
