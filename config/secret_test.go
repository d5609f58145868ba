package config

import (
	"strings"
	"testing"

	"serin/router"
)

// salted parses the smallest file with a salt.
func salted(salt string, opts Options) (*Plan, []Problem) {
	return Parse("/etc/serin/serin.toml", []byte(`
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[rollout.checkout]
stable = "v1"
canary = "v2"
salt   = `+salt+`
ladder = ["1%", "100%"]
`), opts)
}

func TestSecret_EverySource_IsResolved(t *testing.T) {
	t.Parallel()
	opts := sealed(
		map[string]string{"/etc/serin/salt": "from a file\n", "/run/salt": "absolute\r\n", "/run/credentials/salt": "credential"},
		map[string]string{"SALT": "environment", "CREDENTIALS_DIRECTORY": "/run/credentials"},
	)
	for salt, want := range map[string]string{
		`"inline text"`:           "inline text",
		`{ file = "salt" }`:       "from a file",
		`{ file = "/run/salt" }`:  "absolute",
		`{ env = "SALT" }`:        "environment",
		`{ credential = "salt" }`: "credential",
	} {
		plan, problems := salted(salt, opts)
		if plan == nil {
			t.Errorf("%s: %v", salt, problems)
		} else if got := plan.Rollouts[0].Split.Salt; got != router.Salt(want) {
			t.Errorf("%s: not the salt of %q", salt, want)
		}
	}
}

func TestSecret_WhatCannotBeRead_IsAProblemAtItsKey(t *testing.T) {
	t.Parallel()
	opts := sealed(map[string]string{"/empty": "\n", "/huge": strings.Repeat("x", maxSecret+1)}, nil)
	for salt, want := range map[string]string{
		`""`:                        "an empty salt: leave the key out for the rollout's name",
		`{}`:                        "want { file = \"PATH\" }, { env = \"NAME\" } or { credential = \"NAME\" }, got a table",
		`{ file = "a", env = "b" }`: "want { file = \"PATH\" }, { env = \"NAME\" } or { credential = \"NAME\" }, got a table",
		`{ fiel = "a" }`:            "want { file = \"PATH\" }, { env = \"NAME\" } or { credential = \"NAME\" }, got the key \"fiel\"",
		`{ env = 1 }`:               "env needs a name, got 1",
		`{ env = "UNSET" }`:         "environment variable UNSET is not set or empty",
		`{ file = "absent" }`:       "read file: open /etc/serin/absent: file does not exist",
		`{ file = "/empty" }`:       "file /empty is empty",
		`{ file = "/huge" }`:        "file /huge has more than 65536 bytes",
		`{ credential = "a" }`:      "credential a: $CREDENTIALS_DIRECTORY is not set",
		`{ credential = "../a" }`:   "\"../a\" is no credential's name: it has no slash",
	} {
		plan, problems := salted(salt, opts)
		if got := said(plan, problems); got != "/etc/serin/serin.toml:9: rollout.checkout.salt: "+want+"\n" {
			t.Errorf("%s: got %s", salt, got)
		}
	}
}
