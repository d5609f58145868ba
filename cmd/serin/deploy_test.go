package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"serin/config"
)

// unitOf reads a unit file: values by Section.Name, in order.
func unitOf(t *testing.T, name string) map[string][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "deploy", "systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	options, err := unit.DeserializeOptions(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	values := map[string][]string{}
	for _, o := range options {
		key := o.Section + "." + o.Name
		values[key] = append(values[key], o.Value)
	}
	return values
}

func TestUnits_SayWhatSerinDoes(t *testing.T) {
	t.Parallel()
	service, socket := unitOf(t, "serin.service"), unitOf(t, "serin.socket")
	for key, want := range map[string]string{
		"Service.Type": "notify", "Service.NotifyAccess": "main", "Service.KillSignal": "SIGTERM",
		"Service.ExecReload": "/bin/kill -HUP $MAINPID", "Service.RestartPreventExitStatus": strconv.Itoa(exitConfig),
		"Service.StateDirectory": "serin", "Service.StateDirectoryMode": "0700", "Service.DynamicUser": "yes",
	} {
		if got := service[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	seconds, err := strconv.Atoi(strings.Join(service["Service.TimeoutStopSec"], ""))
	if patience := drainWithin + handOverWithin + 10*time.Second; err != nil || time.Duration(seconds)*time.Second < patience {
		t.Errorf("systemd kills after %d s (%v), a drain may take %v", seconds, err, patience)
	}
	if got := socket["Socket.FileDescriptorName"]; !slices.Equal(got, []string{"serin"}) {
		t.Errorf("the socket is called %q, want serin", got)
	}
}

func TestUnits_CommandLines_AreOurs(t *testing.T) {
	t.Parallel()
	service := unitOf(t, "serin.service")
	for key, want := range map[string]string{"Service.ExecStart": "run", "Service.ExecStartPre": "check"} {
		lines := service[key]
		if len(lines) != 1 {
			t.Fatalf("%s: got %q, want one line", key, lines)
		}
		words := strings.Fields(lines[0])
		verb, rest, err := newRootCmd(&env{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}).Find(words[1:])
		if err != nil || verb.Name() != want {
			t.Errorf("%s: %q is not the verb %s (%v)", key, lines[0], want, err)
			continue
		}
		if err := verb.ParseFlags(rest); err != nil || verb.Flag("config").Value.String() != "/etc/serin/serin.toml" {
			t.Errorf("%s: %q: %v", key, lines[0], err)
		}
	}
}

func TestDeploy_Configurations_AreInOrder(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../deploy/*/serin.toml")
	if err != nil || len(files) < 2 {
		t.Fatalf("got %v (%v), want those of compose and kubernetes", files, err)
	}
	for _, file := range append(files, "../../deploy/serin.toml") {
		plan, problems := config.Load(file, config.Options{Getenv: func(string) string { return "" }})
		if plan == nil || len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
	}
}

// What containers and pods name must be there: verbs, flags, ports and paths.
func TestDeploy_Containers_SayWhatSerinDoes(t *testing.T) {
	t.Parallel()
	argument := regexp.MustCompile(`(?:args|command|CMD):? \[([^\]]+)\]`)
	for file, want := range map[string]int{"Dockerfile": 2, "compose/compose.yaml": 4, "kubernetes/serin.yaml": 2, "kubernetes/checkout.yaml": 2} {
		text := document(t, filepath.Join("deploy", file))
		seen := 0
		for _, m := range argument.FindAllStringSubmatch(text, -1) {
			words := strings.Split(strings.ReplaceAll(m[1], `"`, ""), ", ")
			if words[0] == "/serin" {
				words = words[1:]
			}
			verb, rest, err := newRootCmd(&env{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}).Find(words)
			if err != nil || !verb.Runnable() || verb.Name() == "serin" {
				t.Errorf("%s: %q is no verb (%v)", file, words, err)
				continue
			}
			if err := verb.ParseFlags(rest); err != nil {
				t.Errorf("%s: %q: %v", file, words, err)
			}
			seen++
		}
		if seen != want {
			t.Errorf("%s: got %d command lines, want %d", file, seen, want)
		}
	}
	pod := document(t, "deploy/kubernetes/serin.yaml")
	for _, want := range []string{"containerPort: 8080}", "mountPath: /state}", "mountPath: /etc/serin,"} {
		if !strings.Contains(pod, want) {
			t.Errorf("the pod lacks %q", want)
		}
	}
	grace := regexp.MustCompile(`(?:terminationGracePeriodSeconds|stop_grace_period): (\d+)`)
	for _, file := range []string{"kubernetes/serin.yaml", "compose/compose.yaml"} {
		m := grace.FindStringSubmatch(document(t, filepath.Join("deploy", file)))
		if m == nil {
			t.Errorf("%s gives no time to drain", file)
			continue
		}
		if seconds, _ := strconv.Atoi(m[1]); time.Duration(seconds)*time.Second < drainWithin+handOverWithin+10*time.Second {
			t.Errorf("%s kills after %d s, a drain may take %v", file, seconds, drainWithin+handOverWithin)
		}
	}
}
