package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"serin/router"
)

const ringFile = `
[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]
[jwt]
key = { file = "keys/session" }
header = "X-Token"
issuer = "https://id.example"
[audience.beta]
any = [{ claim = "groups", is = "beta" }, { audience = "staff" }]
not = { header = "X-Bot" }
share = "50%"
[audience.staff]
any = [{ header = "X-Employee", is = "1" }, { cidr = ["10.8.0.0/16"] }, { cookie = "beta", is = "1" }, { key_file = "vips.txt" }]
all = [{ host = ["*.example.com"] }, { path = "/shop/*" }, { query = "x" }]
[rollout.checkout]
stable = "v1"
canary = "v2"
key = ["claim:sub", "ip"]
[[rollout.checkout.stage]]
audience = "staff"
for = "30m"
[[rollout.checkout.stage]]
audience = "beta"
[[rollout.checkout.stage]]
weight = ["1%", "25%"]
[[rollout.checkout.stage]]
audience = "staff"
[[rollout.checkout.stage]]
weight = "100%"
`

func ringOptions(vips string) Options {
	return sealed(map[string]string{"keys/session": "0123456789abcdef0123456789abcdef", "vips.txt": vips}, nil)
}

func mustParse(t *testing.T, text string, o Options) *Plan {
	t.Helper()
	plan, problems := Parse("serin.toml", []byte(text), o)
	if plan == nil {
		t.Fatal(said(nil, problems))
	}
	return plan
}

func TestParse_Audiences_AreRingsOfTheLadder(t *testing.T) {
	t.Parallel()
	p := mustParse(t, ringFile, ringOptions("alice\r\n\n  # a comment\n  bob  \n192.0.2.7"))
	r := p.Rollouts[0]
	stages := []string{}
	for _, s := range r.Policy.Stages {
		stages = append(stages, fmt.Sprintf("%s|%s|%s|%s", s.Label, s.Audience, s.Weight, s.Least))
	}
	want := []string{
		"ring staff|staff|0 %|30m0s", "ring beta|beta|0 %|15m0s", "1 %||1 %|15m0s", "25 %||25 %|15m0s", "ring staff|staff|25 %|15m0s",
		"100 %||100 %|15m0s",
	}
	if !slices.Equal(stages, want) {
		t.Errorf("got stages\n%s\nwant\n%s", strings.Join(stages, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Rings) != 2 || r.Rings[0].Name != "staff" || r.Rings[1].Name != "beta" || len(r.Split.Rings) != 2 || r.Split.Rings[0].Name != "staff" {
		t.Errorf("got rings %+v, in the split %+v", r.Rings, r.Split.Rings)
	}
	if !slices.Equal(p.Files, []string{"keys/session", "vips.txt"}) {
		t.Errorf("got files %q", p.Files)
	}
	s := *r.Split
	s.Open = 0b01
	request := func(key string) *router.Request {
		return &router.Request{Host: []byte("a.example.com"), Path: []byte("/shop/x"), Query: []byte("x=1"), Head: []byte("X-Other: 1\r\n")}
	}
	for key, member := range map[string]bool{"alice": true, "bob": true, "carol": false, "# a comment": false, "192.0.2.7": true, "192.0.2.8": false} {
		if c := s.ChooseAs(request(key), key); (c.Why == router.ByAudience) != member {
			t.Errorf("key %q: %+v, want a member: %v", key, c, member)
		}
	}
	if len(p.Warnings) != 2 { // no gate; ip without trusted_proxies
		t.Errorf("got warnings %v", p.Warnings)
	}
}

func TestParse_Audiences_OtherPeopleHaveAnotherDigest(t *testing.T) {
	t.Parallel()
	digests := func(text, vips string) map[string]string {
		d := map[string]string{}
		for _, a := range mustParse(t, text, ringOptions(vips)).Audiences {
			d[a.Name] = a.Digest
		}
		return d
	}
	was := digests(ringFile, "alice")
	f := func(name, text, vips string, staff, beta bool) {
		t.Helper()
		is := digests(text, vips)
		if (is["staff"] != was["staff"]) != staff || (is["beta"] != was["beta"]) != beta {
			t.Errorf("%s: got %v, was %v", name, is, was)
		}
	}
	f("the same file", ringFile, "alice", false, false)
	f("a user more, of staff and so of beta", ringFile, "alice\nbob", true, true)
	f("another share of beta", strings.Replace(ringFile, `"50%"`, `"60%"`, 1), "alice", false, true)
	f("another network", strings.Replace(ringFile, "10.8.0.0/16", "10.9.0.0/16", 1), "alice", true, true)
	f("another time of the stage", strings.Replace(ringFile, `"30m"`, `"20m"`, 1), "alice", false, false)
}

func TestParse_KeyFiles_ThatCannotBeUsed_AreRefused(t *testing.T) {
	t.Parallel()
	f := func(vips, want string) {
		t.Helper()
		plan, problems := Parse("serin.toml", []byte(ringFile), ringOptions(vips))
		if got := said(plan, problems); !strings.Contains(got, want) {
			t.Errorf("got %s, want %q", got, want)
		}
	}
	at := "serin.toml:15: audience.staff.any[4].key_file: "
	f("alice\n"+strings.Repeat("k", 257), at+"vips.txt:2: a key of 257 bytes: at most 256 count")
	f("alice\nb\x00b", at+"vips.txt:2: a NUL byte")
	f(strings.Repeat("k\n", maxKeys+1), fmt.Sprintf(at+"vips.txt:%d: more than %d keys", maxKeys+1, maxKeys))
	f(strings.Repeat("#", maxKeyFile+1), at+"vips.txt: more than 16 MiB")
	f("# nobody yet\n", "ok\nwarning: "+at+"vips.txt has no key: nobody is meant")
}

func TestParse_Tokens_NeedAKeyThatVerifies(t *testing.T) {
	t.Parallel()
	f := func(key, want string) {
		t.Helper()
		o := sealed(map[string]string{"keys/session": key, "vips.txt": "a"}, nil)
		plan, problems := Parse("serin.toml", []byte(ringFile), o)
		if got := said(plan, problems); !strings.Contains(got, want) {
			t.Errorf("got %s, want %q", got, want)
		}
	}
	f("short", "serin.toml:7: jwt.key: a secret of 5 bytes can be guessed: want at least 32")
	f(`{"keys":[]}`, "a JSON Web Key set is not read")
	f("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "a private key: who only verifies must not have it")
	plan, problems := Parse("serin.toml", []byte(strings.Replace(ringFile, `header = "X-Token"`, "header = \"X-Token\"\ncookie = \"t\"", 1)), ringOptions("a"))
	if got := said(plan, problems); !strings.Contains(got, "in a header or in a cookie, never in both") {
		t.Errorf("got %s", got)
	}
}

func TestEffective_Audiences_ReadBackAsTheSame(t *testing.T) {
	t.Parallel()
	p := mustParse(t, ringFile, ringOptions("alice"))
	text := Effective(p)
	if strings.Contains(text, "0123456789abcdef") {
		t.Error("a secret is written out")
	}
	again := mustParse(t, text, ringOptions("alice"))
	if Effective(again) != text {
		t.Errorf("got\n%s\nwant\n%s", Effective(again), text)
	}
}

func TestTimetable_Ring_TellsRequestsAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	gates := `
[[rollout.checkout.gate]]
metric = "error_rate"
hold = "stable + 0.5pt"
rollback = "stable + 2pt"
`
	tables := func(text string) Timetable {
		return mustParse(t, text, ringOptions("a")).Timetable(200, .01)[0]
	}
	own := tables(ringFile + gates)
	g := own.Stages[0].Gates[0]
	if len(own.Stages[0].Gates) != 1 || !g.Ring || g.Past < 500 || g.Requests < 400 || own.Stages[0].Expected != Quantity((30*time.Minute).Seconds()) {
		t.Errorf("got %+v", own.Stages[0])
	}
	warned := func(w []StageProblem) (stages []int) {
		for _, p := range w {
			if strings.Contains(p.Text, "compared with nobody but themselves") {
				stages = append(stages, p.Stage)
			}
		}
		return stages
	}
	if got := warned(own.Warnings); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got warnings of stages %v: %+v", got, own.Warnings)
	}
	if got := warned(tables(ringFile + gates + "[[rollout.checkout.gate]]\nmetric = \"timeout_rate\"\nhold = \"1%\"\n").Warnings); got != nil {
		t.Errorf("with an absolute gate: warnings of stages %v", got)
	}
	if text := TimetableText([]Timetable{own}); !strings.Contains(text, "against their own past") {
		t.Errorf("got\n%s", text)
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte("alice\r\n\n # x\nbob"))
	f.Add([]byte("\ufeffalice"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeys(data)
		if err != nil {
			return
		}
		for _, key := range keys {
			if key == "" || len(key) > router.MaxKey || key[0] == '#' || strings.TrimSpace(key) != key || strings.ContainsAny(key, "\n\x00") {
				t.Errorf("key %q of %q", key, data)
			}
		}
		again, err := parseKeys([]byte(strings.Join(keys, "\n")))
		if err != nil || !slices.Equal(again, keys) {
			t.Errorf("%q reads back as %q, %v", keys, again, err)
		}
	})
}

func TestKeys_ClaimNobodyVerifies_IsPassedOverBesideOthersOnly(t *testing.T) {
	t.Parallel()
	f := func(keys string) (*Plan, []Problem) {
		return Parse("serin.toml", []byte("[upstream.v1]\nservers = [\"127.0.0.1:9001\"]\n[upstream.v2]\nservers = [\"127.0.0.1:9002\"]\n"+
			"[rollout.checkout]\nstable = \"v1\"\ncanary = \"v2\"\nladder = [\"1%\", \"100%\"]\nkey = "+keys+"\n"), Options{})
	}
	plan, problems := f(`["header:X-User-Id", "claim:sub", "query:u"]`)
	if plan == nil {
		t.Fatal(problems)
	}
	for _, k := range plan.Rollouts[0].Split.Keys {
		if k.Kind == router.KeyClaim {
			t.Errorf("an unverified claim may be a key: %v", plan.Rollouts[0].Split.Keys)
		}
	}
	if !slices.ContainsFunc(plan.Warnings, func(p Problem) bool { return strings.Contains(p.Text, "nobody verifies tokens") && p.Line == 9 }) {
		t.Errorf("no warning: %v", plan.Warnings)
	}
	if plan, problems := f(`["claim:sub"]`); plan != nil || len(problems) != 1 || !strings.Contains(problems[0].Text, "nobody verifies tokens") {
		t.Errorf("as the only source: got %v", problems)
	}
}
