package config

import (
	"testing"
)

func TestAdminURL_FileThatOnlyTheDaemonCanUse_SaysWhereItIs(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		got, problems := AdminURL("serin.toml", sealed(map[string]string{"serin.toml": text}, nil))
		if got != want || len(problems) > 0 {
			t.Errorf("%s: got %q, want %q; %v", text, got, want, problems)
		}
	}
	f("", "127.0.0.1:9180")
	f("[admin]\naddress = \"unix:/run/serin/admin.sock\"\ntls = { cert = \"c\", key = \"k\" }\n", "unix:/run/serin/admin.sock")
	f("[admin]\naddress = \"10.0.0.1:9180\"\ntls = { cert = \"absent.pem\", key = \"absent.pem\" }\n", "https://10.0.0.1:9180")
	f("[admin]\naddress = \"127.0.0.1:1\"\n[jwt]\nkey = { env = \"SECRET\" }\n[token.a]\nsecret = { file = \"absent\" }\nmay = [\"read\"]\n", "127.0.0.1:1")
	f("[admin]\naddress = \"127.0.0.1:1\"\n[rolout.x]\n[upstream.v1]\nservers = 3\n", "127.0.0.1:1") // a mistake that a reload has refused
}

func TestAdminURL_MistakeInItself_IsTold(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		got, problems := AdminURL("serin.toml", sealed(map[string]string{"serin.toml": text}, nil))
		if got != "" || len(problems) != 1 || problems[0].String() != want {
			t.Errorf("%s: got %q and %v, want %q", text, got, problems, want)
		}
	}
	f("[admin]\nadress = \"127.0.0.1:1\"\n", `serin.toml:2: admin.adress: unknown key (did you mean "address"?)`)
	f("[admin\n", "serin.toml:2: expected '.' or ']' to end table name, but got the end of the line instead")
	if _, problems := AdminURL("absent.toml", sealed(nil, nil)); len(problems) != 1 {
		t.Error(problems)
	}
}
