package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/router"
)

func TestParse_Smallest_IsThePlanOfTheDefaults(t *testing.T) {
	t.Parallel()
	p := parsed(t, "smallest.toml")
	if p.File != "serin.toml" || len(p.Hash) != 12 || p.StateDir != "serin-state" || p.Admin.Address != "127.0.0.1:9180" {
		t.Errorf("got %q %q %q %q", p.File, p.Hash, p.StateDir, p.Admin.Address)
	}
	if len(p.Listen) != 1 || p.Listen[0].Address != ":8080" || !p.Listen[0].FastLane || p.Listen[0].Timeout.KeepAlive != 75*time.Second {
		t.Errorf("got listeners %+v", p.Listen)
	}
	if len(p.Routes) != 1 || p.Routes[0].Split != p.Rollouts[0].Split || p.Routes[0].Upstream != 0 || p.Routes[0].Name != "" {
		t.Errorf("got routes %+v", p.Routes)
	}
	r := p.Rollouts[0]
	wantSplit := &router.Split{
		Rollout: "checkout", Upstreams: [2]int{0, 1}, Salt: router.Salt("checkout"),
		Keys: []router.KeySource{{Kind: router.KeyHeader, Name: "X-User-Id"}, {Kind: router.KeyMint, Name: "serin_uid"}},
	}
	if !reflect.DeepEqual(r.Split, wantSplit) {
		t.Errorf("got split %+v, want %+v", r.Split, wantSplit)
	}
	weights := []router.Weight{}
	for _, s := range r.Policy.Stages {
		weights = append(weights, s.Weight)
		if s.Least != 15*time.Minute {
			t.Errorf("stage %s lasts %s", s.Label, s.Least)
		}
	}
	if !reflect.DeepEqual(weights, []router.Weight{100, 500, 2500, 10000}) {
		t.Errorf("got weights %v", weights)
	}
	policy := *r.Policy
	rules := []string{}
	for _, c := range policy.Criteria {
		rules = append(rules, c.Metric()+" "+c.Rule())
	}
	if want := []string{"error_rate hold: stable + 0.5pt, rollback: stable + 2pt", "latency_p99 hold: stable * 1.25"}; !reflect.DeepEqual(rules, want) {
		t.Errorf("got rules %q, want %q", rules, want)
	}
	policy.Stages, policy.Criteria = nil, nil
	want := gate.Policy{
		Rollout: "checkout", Revision: p.Upstreams[1].Revision, StableRevision: p.Upstreams[0].Revision,
		StableAlias: derivedRevision(p.Upstreams[1].Name, p.Upstreams[0].Servers),
		MaxStage:    6 * time.Hour, Warmup: 2 * time.Minute, Sparse: "extend", HoldTimeout: time.Hour, OnHoldTimeout: "rollback",
		OnFail: "rollback", Holdback: 100, KeepOld: time.Hour, RevertDrain: 30 * time.Second, AlphaFail: .01, AlphaPass: .05,
	}
	if !reflect.DeepEqual(policy, want) {
		t.Errorf("got policy\n%+v, want\n%+v", policy, want)
	}
}

func TestParse_Supported_CarriesEveryValue(t *testing.T) {
	t.Parallel()
	p := parsed(t, "supported.toml")
	wantListen := Listen{
		Address: "127.0.0.1:8080", ProxyProtocol: true,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"), {}},
		Timeout:        ListenTimeout{Head: 1e9, BodyIdle: 2e9, KeepAlive: 3e9, WriteIdle: 4e9, TunnelIdle: 2 * time.Hour},
		Limits:         ListenLimits{Head: 64 << 10, Target: 8 << 10, Fields: 50, Body: 3 << 19, Connections: 1000, PerIP: 10, BodyRate: 1024, WriteRate: 2048, Requests: 500},
		Hosts:          []string{"shop.example.com", "*.shop.example.com"}, PlainPaths: true, Underscores: "drop", Via: "edge-1",
		Upstreams: p.Listen[0].Upstreams, // TestParse_Listeners_KnowWhatUpstreamsMayNeed
	}
	if !reflect.DeepEqual(p.Listen[0], wantListen) || len(p.Listen) != 3 || p.Listen[2].Address != "fd:web" {
		t.Errorf("got listeners %+v", p.Listen)
	}
	if p.Memory != 256<<20 {
		t.Errorf("got a memory of %d", p.Memory)
	}
	if want := (Log{Level: "debug", Format: "text", Access: &AccessLog{Path: "access.log", Format: "combined", Sample: .005, Key: true}}); !reflect.DeepEqual(p.Log, want) {
		t.Errorf("got log %+v", p.Log)
	}
	if want := (Admin{Address: "unix:/run/serin/admin.sock", PublicURL: "https://serin.example"}); p.Admin != want {
		t.Errorf("got admin %+v", p.Admin)
	}
	wantUpstream := Upstream{
		Name: "v1", Revision: "1", Balance: "hash",
		Servers: []Server{
			{Name: "10.0.0.21:9000", Network: "tcp", Address: "10.0.0.21:9000"},
			{Name: "[2001:db8::1]:9000", Network: "tcp", Address: "[2001:db8::1]:9000"},
			{Name: "unix:/run/v1.sock", Network: "unix", Address: "/run/v1.sock"},
		},
		Health:  &Health{Path: "/up?full=1", Every: time.Second, Timeout: time.Second / 2, Healthy: 1, Unhealthy: 5},
		Eject:   Eject{For: time.Minute, Max: .1},
		Timeout: UpstreamTimeout{Connect: 2 * time.Second, Response: 10 * time.Second, Idle: time.Minute},
		Retry:   Retry{Budget: .05},
		Limits:  UpstreamLimits{Connections: 16},
	}
	if !reflect.DeepEqual(p.Upstreams[0], wantUpstream) {
		t.Errorf("got upstream\n%+v, want\n%+v", p.Upstreams[0], wantUpstream)
	}
	if v2 := p.Upstreams[1]; !v2.Servers[0].TLS || v2.TLS == nil || v2.TLS.ServerName != "shop.example.com" || !v2.TLS.InsecureSkipVerify {
		t.Errorf("got upstream %+v", v2)
	}
	wantMatch := router.Match{
		Hosts: []string{"shop.example.com", "*.shop.example.com"}, Path: "/checkout/*", Methods: []string{"GET", "POST"},
		Headers: []router.FieldMatch{{Name: "X-Beta", Is: "1"}, {Name: "X-Any"}},
	}
	if !reflect.DeepEqual(p.Routes[0].Match, wantMatch) || p.Routes[0].Split == nil || p.Routes[1].Split != nil {
		t.Errorf("got routes %+v %+v", p.Routes[0], p.Routes[1])
	}
	policy := *p.Rollouts[0].Policy
	wantStages := []gate.Stage{
		{Label: "preview", Preview: true, Least: 10 * time.Minute},
		{Label: "1 %", Weight: 100, Least: 20 * time.Minute},
		{Label: "12.34 %", Weight: 1234, Least: 20 * time.Minute},
		{Label: "100 %", Weight: 10000, Least: 10 * time.Minute, Owner: "product", Approve: &gate.Approve{Timeout: 2 * time.Hour, OnTimeout: "rollback"}},
	}
	if !reflect.DeepEqual(policy.Stages, wantStages) {
		t.Errorf("got stages\n%+v, want\n%+v", policy.Stages, wantStages)
	}
	if len(policy.Criteria) != 4 || policy.Criteria[1].CanFail() || !policy.Criteria[2].CanFail() {
		t.Errorf("got criteria %v", policy.Criteria)
	}
	policy.Stages, policy.Criteria = nil, nil
	want := gate.Policy{
		Rollout: "checkout", Route: "shop", Revision: p.Upstreams[1].Revision, StableRevision: "1", StableAlias: derivedRevision(p.Upstreams[1].Name, p.Upstreams[0].Servers), ManualStart: true,
		MaxStage: 12 * time.Hour, Sparse: "widen", WidenMax: 2000, OnHoldTimeout: "step_back", OnFail: "freeze", Holdback: 200,
		KeepOld: 48 * time.Hour, RevertDrain: 30 * time.Second, AlphaFail: .005, AlphaPass: .01, Plain: &gate.Plain{Window: time.Minute, MinRequests: 50, Failures: 2}, DryRun: true,
	}
	if !reflect.DeepEqual(policy, want) {
		t.Errorf("got policy\n%+v, want\n%+v", policy, want)
	}
	split := p.Rollouts[0].Split
	if split.Force != "X-Arm" || split.Salt != router.Salt("winter") || len(split.Keys) != 4 || !p.Rollouts[0].Expose {
		t.Errorf("got split %+v", split)
	}
}

func TestParse_IDs_FollowTheFileAndNotTheNames(t *testing.T) {
	t.Parallel()
	p, problems := Parse("x", []byte(`
[upstream.z]
servers = ["h:1"]
[upstream.a]
servers = ["h:2"]
[route.late]
path = "/z"
upstream = "z"
[route.early]
upstream = "a"
`), sealed(nil, nil))
	if p == nil {
		t.Fatal(problems)
	}
	if p.Upstreams[0].Name != "z" || p.Routes[0].Name != "late" || p.Routes[1].Upstream != 1 {
		t.Errorf("got %+v %+v", p.Upstreams, p.Routes)
	}
}

func TestParse_DerivedRevision_ChangesWithTheServersOnly(t *testing.T) {
	t.Parallel()
	revision := func(table string) string {
		t.Helper()
		p, problems := Parse("x", []byte("[upstream.a]\n"+table+"\n[route.r]\nupstream = \"a\"\n"), sealed(nil, nil))
		if p == nil {
			t.Fatal(problems)
		}
		return p.Upstreams[0].Revision
	}
	one := revision(`servers = ["h:1", "h:2"]`)
	if got := revision("balance = \"hash\"\nservers = [\"h:2\", \"h:1\"]"); got != one {
		t.Errorf("another order or balance is another revision: %s, %s", got, one)
	}
	if got := revision(`servers = ["h:1", "h:3"]`); got == one {
		t.Errorf("another server is the same revision: %s", got)
	}
}

func TestParse_NoLadder_IsTheUsualOne(t *testing.T) {
	t.Parallel()
	const file = "[upstream.a]\nservers = [\"h:1\"]\n[upstream.b]\nservers = [\"h:2\"]\n[rollout.r]\nstable = \"a\"\ncanary = \"b\"\nevery = \"10m\"\n"
	p, problems := Parse("x", []byte(file), sealed(nil, nil))
	if p == nil {
		t.Fatal(problems)
	}
	got := p.Rollouts[0].Policy.Stages
	want := []router.Weight{100, 500, 2500, router.Full}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, s := range got {
		if s.Weight != want[i] || s.Least != 10*time.Minute {
			t.Errorf("stage %d: got %s for %s", i+1, s.Weight, s.Least)
		}
	}
	if text := Effective(p); !strings.Contains(text, `ladder = ["1%", "5%", "25%", "100%"]`) {
		t.Errorf("the effective configuration does not show it:\n%s", text)
	}
}

func TestParse_StateDirectory_ComesFromTheServiceManager(t *testing.T) {
	t.Parallel()
	text := "[upstream.a]\nservers = [\"h:1\"]\n[route.r]\nupstream = \"a\"\n"
	p, _ := Parse("x", []byte(text), sealed(nil, map[string]string{"STATE_DIRECTORY": "/var/lib/serin:/var/lib/other"}))
	if p == nil || p.StateDir != "/var/lib/serin" {
		t.Errorf("got %+v", p)
	}
}

func TestZero_TwoAddresses_AreAWholePlan(t *testing.T) {
	t.Parallel()
	p, problems := Zero("127.0.0.1:9001", "unix:/run/v2.sock", "", sealed(nil, nil))
	if p == nil {
		t.Fatal(problems)
	}
	if p.File != "" || p.Hash == "" || p.Rollouts[0].Name != "default" || len(p.Rollouts[0].Policy.Criteria) != 2 || p.Listen[0].Address != ":8080" {
		t.Errorf("got %+v", p)
	}
	if len(p.Warnings) > 0 {
		t.Errorf("got warnings %v", p.Warnings)
	}
	q, _ := Zero("127.0.0.1:9001", "127.0.0.1:9003", ":9999", sealed(nil, nil))
	if q == nil || q.Hash == p.Hash || q.Listen[0].Address != ":9999" || q.Rollouts[0].Policy.Revision == p.Rollouts[0].Policy.Revision {
		t.Errorf("got %+v", q)
	}
}

func TestZero_BadAddresses_NameTheFlag(t *testing.T) {
	t.Parallel()
	plan, problems := Zero("nowhere", "", "8080", sealed(nil, nil))
	got := said(plan, problems)
	want := `--listen: "8080" has no port: write it as "HOST:PORT"
--canary: "" has no port: write it as "HOST:PORT"
--stable: "nowhere" has no port: write it as "HOST:PORT"
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLoad_NoFile_IsOneProblem(t *testing.T) {
	t.Parallel()
	plan, problems := Load("absent.toml", sealed(nil, nil))
	if got := said(plan, problems); got != "absent.toml: read the configuration: file does not exist\n" {
		t.Errorf("got %q", got)
	}
	plan, problems = Load("/dev/zero", Options{})
	if got := said(plan, problems); !strings.Contains(got, "larger than 1 MiB") {
		t.Errorf("got %q", got)
	}
}

func TestProblem_String_LeavesOutWhatIsUnknown(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Problem{
		`serin.toml:12: rollout.checkout.canary: no upstream "x" (did you mean "y"?)`: {"serin.toml", 12, "rollout.checkout.canary", `no upstream "x"`, `did you mean "y"?`},
		"serin.toml: text": {File: "serin.toml", Text: "text"},
		"key: text":        {Key: "key", Text: "text", Line: 3},
		"text":             {Text: "text"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// OPTIONS * asks about the server as a whole: who routes every path routes it too.
func TestParse_PathOfEverything_TakesTheStarOfOptions(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/*"} {
		p, problems := Parse("x", []byte("[upstream.a]\nservers = [\"h:1\"]\n[route.r]\npath = \""+path+"\"\nupstream = \"a\"\n"), sealed(nil, nil))
		if p == nil {
			t.Fatal(problems)
		}
		table, err := router.NewTable(p.Routes)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range []string{"*", "/", "/a/b"} {
			if table.Match(&router.Request{Method: []byte("OPTIONS"), Path: []byte(target)}) == nil {
				t.Errorf("path %q does not take %q", path, target)
			}
		}
	}
}

func TestParse_Listeners_KnowWhatUpstreamsMayNeed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`servers = ["127.0.0.1:1", "unix:/run/app.sock"]` + "\nlimits = { connections = 100 }": 400,
		`servers = ["127.0.0.1:1"]`: 2048,
		`servers = ["app:1"]`:       0,
	} {
		p, problems := Parse("serin.toml", []byte("[upstream.a]\n"+text+"\n[route.r]\nupstream = \"a\"\n"), Options{})
		if p == nil || p.Listen[0].Upstreams != want {
			t.Errorf("%s: got %+v %v, want %d", text, p, problems, want)
		}
	}
}
