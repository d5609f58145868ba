package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"serin/router"
)

// builder makes a Plan of a decoded file and reports what does not fit together. It goes on after a problem: what it
// makes then is never used, but every other problem is still found.
type builder struct {
	*decoder
	config   *Config
	opts     Options
	dir      string // files the configuration names are relative to this
	warnings []Problem

	plan      *Plan
	upstreams map[string]int    // name -> ID
	used      map[string]bool   // upstreams that something sends to
	told      map[string]bool   // sinks that a rollout names
	split     map[string]string // route -> the first rollout or experiment that splits it
	groups    map[string]*group // exclusive groups by name

	tokens  *router.Tokens       // nil: nobody verifies tokens
	people  map[string]*Audience // built so far
	meant   map[string]bool      // audiences that something names
	claimed bool                 // something asks for a claim
}

// warn notes something worth knowing that refuses nothing.
func (b *builder) warn(at, text string) {
	b.warnings = append(b.warnings, Problem{File: b.file, Line: b.lines.at(at), Key: at, Text: text})
}

// inOrder returns the names of tables in the order of the file.
func inOrder[T any](b *builder, kind string, tables map[string]T) []string {
	names := slices.Sorted(maps.Keys(tables))
	slices.SortStableFunc(names, func(x, y string) int {
		return b.lines.at(join(kind, x)) - b.lines.at(join(kind, y))
	})
	return names
}

// build makes the plan, part by part in the order of the file's description.
func (b *builder) build() {
	b.listeners()
	b.memory()
	b.bearers()
	b.admin()
	b.adminTLS()
	b.log()
	for _, name := range inOrder(b, "upstream", b.config.Upstream) {
		b.upstream(name, b.config.Upstream[name])
	}
	b.share()
	b.audiences()
	b.routes()
	b.exclusives()
	for _, name := range inOrder(b, "rollout", b.config.Rollout) {
		b.rollout(name, b.config.Rollout[name])
	}
	for _, name := range inOrder(b, "experiment", b.config.Experiment) {
		b.experiment(name, b.config.Experiment[name])
	}
	b.rests()
	for _, name := range inOrder(b, "flag", b.config.Flag) {
		b.flag(name, b.config.Flag[name])
	}
	b.sinks()
	b.unheard()
	b.coverage()
	b.advise()
	b.meaning()
}

// share tells the listeners how many descriptors the upstreams may need: unknown where a name may stand for any number of
// servers.
func (b *builder) share() {
	sum := 0
	for _, u := range b.plan.Upstreams {
		for _, s := range u.Servers {
			if _, err := netip.ParseAddrPort(s.Address); err != nil && s.Network != "unix" {
				return
			}
		}
		sum += 2 * len(u.Servers) * u.Limits.Connections
	}
	for i := range b.plan.Listen {
		b.plan.Listen[i].Upstreams = sum
	}
}

// leastMemory is what a process needs to serve at all.
const leastMemory = 32 << 20

// memory checks what the whole process may use.
func (b *builder) memory() {
	b.plan.Memory = int64(b.config.Limits.Memory)
	if b.plan.Memory > 0 && b.plan.Memory < leastMemory {
		b.report("limits.memory", fmt.Sprintf("want 0 or at least 32MiB, got %s", strings.Trim(b.config.Limits.Memory.literal(), `"`)), "")
	}
}

// listeners builds the data listeners.
func (b *builder) listeners() {
	taken := map[string]bool{}
	for i := range b.config.Listen {
		t := &b.config.Listen[i]
		at := b.elementOf("listen", i)
		b.plan.Listen = append(b.plan.Listen, b.listen(at, t))
		place, address := join(at, "address"), string(t.Address)
		if b.bad[place] || strings.HasSuffix(address, ":0") {
			continue
		}
		if taken[address] {
			b.report(place, show(address)+" is listened on twice", "")
		}
		if address == string(b.config.Admin.Address) {
			b.report(place, show(address)+" is the admin listener's", "")
		}
		taken[address] = true
	}
}

// elementOf is the path of the i-th table of a list, which the file may also have written as one table.
func (b *builder) elementOf(list string, i int) string {
	at := element(list, i)
	if _, ok := b.lines.lines[at]; !ok && i == 0 {
		return list
	}
	return at
}

// listen builds one data listener.
func (b *builder) listen(at string, t *ListenTable) Listen {
	l := Listen{
		Address: string(t.Address), ProxyProtocol: bool(t.ProxyProtocol), FastLane: bool(t.FastLane),
		Timeout: ListenTimeout{
			Head: time.Duration(t.Timeout.Head), BodyIdle: time.Duration(t.Timeout.BodyIdle), KeepAlive: time.Duration(t.Timeout.KeepAlive),
			WriteIdle: time.Duration(t.Timeout.WriteIdle), TunnelIdle: time.Duration(t.Timeout.TunnelIdle),
		},
		PlainPaths: t.AmbiguousPaths == "reject", Underscores: string(t.Underscores), Via: string(t.Via),
		Limits: ListenLimits{
			Head: int(t.Limits.Head), Target: int(t.Limits.Target), Fields: int(t.Limits.Fields), Body: int64(t.Limits.Body),
			BodyRate: int64(t.Limits.BodyRate), WriteRate: int64(t.Limits.WriteRate), Requests: int(t.Limits.Requests),
			Connections: int(t.Limits.Connections), PerIP: int(t.Limits.PerIP),
		},
	}
	for _, p := range t.TrustedProxies {
		l.TrustedProxies = append(l.TrustedProxies, p.Prefix.Prefix)
	}
	for _, h := range t.Hosts {
		l.Hosts = append(l.Hosts, string(h))
	}
	if t.Limits.Target > t.Limits.Head {
		b.report(join(join(at, "limits"), "target"), "a target longer than the whole head: want at most limits.head", "")
	}
	if l.ProxyProtocol && len(l.TrustedProxies) == 0 && !strings.HasPrefix(l.Address, "unix:") {
		b.warn(join(at, "proxy_protocol"), "nobody's PROXY protocol is believed without trusted_proxies")
	}
	if t.TLS != nil && !b.anyBad(join(at, "tls")) {
		var err error
		if l.TLS, err = serverTLS(t.TLS, b.dir, b.opts); err != nil {
			b.report(join(at, "tls"), err.Error(), "")
		}
	}
	b.ofrep(at, t, &l)
	return l
}

// admin builds the admin listener and the state directory.
func (b *builder) admin() {
	b.plan.Admin = Admin{Address: string(b.config.Admin.Address), PublicURL: strings.TrimSuffix(string(b.config.Admin.PublicURL), "/")}
	dir := &b.config.State.Dir
	if *dir == "" { // systemd gives a list when a unit has several
		first, _, _ := strings.Cut(b.opts.Getenv("STATE_DIRECTORY"), ":")
		*dir = Text(first)
	}
	if *dir == "" {
		*dir = "serin-state"
	}
	if strings.ContainsRune(string(*dir), 0) {
		b.report("state.dir", "a path has no NUL", "")
	}
	b.plan.StateDir = string(*dir)
}

// log builds the logs.
func (b *builder) log() {
	t := b.config.Log
	b.plan.Log = Log{Level: string(t.Level), Format: string(t.Format)}
	if t.Format == "auto" {
		b.plan.Log.Format = ""
	}
	if t.Access != nil {
		b.plan.Log.Access = &AccessLog{
			Path: string(t.Access.Path), Format: string(t.Access.Format),
			Sample: float64(t.Access.Sample), Errors: bool(t.Access.Errors), Key: t.Access.Key == "hash",
		}
	}
}

// upstream builds one pool.
func (b *builder) upstream(name string, t *UpstreamTable) {
	at := join("upstream", name)
	u := Upstream{
		Name: name, Balance: string(t.Balance),
		Eject:   Eject{Consecutive: int(t.Eject.Consecutive), For: time.Duration(t.Eject.For), Max: float64(t.Eject.Max)},
		Timeout: UpstreamTimeout{Connect: time.Duration(t.Timeout.Connect), Response: time.Duration(t.Timeout.Response), Idle: time.Duration(t.Timeout.Idle)},
		Retry:   Retry{Max: int(t.Retry.Max), Budget: float64(t.Retry.Budget)},
		Limits:  UpstreamLimits{Connections: int(t.Limits.Connections), Queue: int(t.Limits.Queue)},
	}
	b.servers(at, t, &u)
	if t.Revision == "" {
		t.Revision = Text(derivedRevision(name, u.Servers))
	}
	u.Revision = string(t.Revision)
	if t.Capacity != nil {
		u.Capacity = float64(*t.Capacity)
	}
	if t.Health != nil {
		u.Health = &Health{
			Path: string(t.Health.Path), Every: time.Duration(t.Health.Every), Timeout: time.Duration(t.Health.Timeout),
			Healthy: int(t.Health.Healthy), Unhealthy: int(t.Health.Unhealthy),
		}
		if path := u.Health.Path; path != "" && (path[0] != '/' || strings.ContainsFunc(path, notInTarget)) {
			b.report(join(join(at, "health"), "path"), wanted(`a path such as "/up"`, path).Error(), "")
		}
		if t.Health.Timeout > t.Health.Every {
			b.report(join(join(at, "health"), "timeout"), fmt.Sprintf("want at most health.every (%s), got %s", t.Health.Every, t.Health.Timeout), "")
		}
	}
	b.upstreams[name] = len(b.plan.Upstreams)
	b.plan.Upstreams = append(b.plan.Upstreams, u)
}

// notInTarget reports characters that a request's target cannot carry as they are.
func notInTarget(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }

// servers builds a pool's servers and their TLS.
func (b *builder) servers(at string, t *UpstreamTable, u *Upstream) {
	path, seen, secure := join(at, "servers"), map[string]bool{}, false
	for i, endpoint := range t.Servers {
		u.Servers = append(u.Servers, endpoint.Server)
		secure = secure || endpoint.TLS
		place := endpoint.Network + ":" + endpoint.Address
		if seen[place] && !b.bad[element(path, i)] {
			b.report(element(path, i), fmt.Sprintf("%s is listed twice", show(endpoint.Name)), "")
		}
		seen[place] = true
	}
	if len(t.Servers) == 0 && !b.bad[path] {
		b.report(path, `no server: want at least one, such as ["10.0.0.21:9000"]`, "")
	}
	if t.TLS != nil && !secure && !b.anyBad(path) {
		b.warn(join(at, "tls"), "no server of this pool is https://, so tls does nothing")
	}
	if secure && !b.anyBad(join(at, "tls")) {
		var err error
		if u.TLS, err = clientTLS(t.TLS, b.dir, b.opts); err != nil {
			b.report(join(at, "tls"), err.Error(), "")
		}
	}
}

// derivedRevision names what runs in a pool that names no revision: another server list is another revision, another
// order of it is not.
func derivedRevision(name string, servers []Server) string {
	places := make([]string, len(servers))
	for i, s := range servers {
		places[i] = s.Name
	}
	slices.Sort(places)
	sum := sha256.Sum256([]byte(name + "\n" + strings.Join(places, "\n")))
	return name + "-" + hex.EncodeToString(sum[:4])
}

// coverage looks at what is there and never used, and at what is not there at all.
func (b *builder) coverage() {
	if len(b.config.Route) == 0 && len(b.config.Rollout) == 0 && len(b.config.Experiment) == 0 && !b.anyBad("route") && !b.anyBad("rollout") {
		b.report("", "nothing to serve: want a [rollout.NAME] or a [route.NAME]", "")
	}
	for _, name := range inOrder(b, "upstream", b.config.Upstream) {
		if !b.used[name] {
			b.warn(join("upstream", name), "no route and no rollout uses this upstream")
		}
	}
}
