package gate_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/calendar"
	"serin/gate/criterion"
	"serin/gate/ladder"
	"serin/router"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// Transcripts are stories: lines of commands, four dashes, what serin said. A comment begins with #.
//
//	policy ladder=1%,5%,25%,100% every=2m        begin a rollout; gate lines add criteria
//	gate error_rate | stable + 0.5pt | stable + 2pt
//	mirror rps=20 stable=1% canary=1%            comparisons of mirrored answers, bad: they differ
//	world rps=200 stable=1% canary=1%            the traffic from here on
//	run 10m                                      a tick every second; only what is new is told
//	tick                                         one more second, whatever it says
//	promote actor=alice reason=...               the verbs
//	reload                                       take up the policy and gate lines before it
//	restart                                      the state through JSON, evidence kept
//	next | why | allowed | state                 what a person would be told
func TestTranscripts_ReadAsStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 15 {
		t.Fatalf("got %d transcripts, %v, want at least 15", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(text, []byte(got)) {
				t.Errorf("%s tells another story (rewrite with -update and read it):\n%s", file, difference(string(text), got))
			}
		})
	}
}

// difference is the first line that differs, with what was expected.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(g), len(w))
}

// play runs a story and answers it with serin's lines renewed.
func play(t *testing.T, text string) string {
	t.Helper()
	st := &story{t: t, w: newWorld(), seen: map[string]string{}}
	st.start = time.Date(2026, 11, 18, 14, 0, 0, 0, time.UTC)
	var out strings.Builder
	telling := false
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case line == "----":
			telling = true
			out.WriteString("----\n")
			for _, l := range st.lines {
				out.WriteString(l + "\n")
			}
			st.lines = nil
		case line == "":
			telling = false
			out.WriteString("\n")
		case telling: // serin's old lines
		default:
			out.WriteString(line + "\n")
			if !strings.HasPrefix(line, "#") {
				st.command(line)
			}
		}
	}
	return out.String()
}

// story is a rollout, its world, and its clock.
type story struct {
	t       *testing.T
	p       *gate.Policy
	s       gate.State
	w       *world
	start   time.Time
	at      time.Duration
	last    gate.Decision
	seen    map[string]string // healthy, stable_healthy, window, journal
	pending []gate.Criterion
	lines   []string
	step    uint64
	terse   bool
	mirror  *world // comparisons of mirrored answers; nil: none
}

func (st *story) say(format string, args ...any) {
	st.lines = append(st.lines, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (st *story) command(line string) {
	st.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "policy":
		st.policy(fields(rest))
	case "gate":
		st.gate(rest)
	case "world":
		st.world(fields(rest))
	case "mirror":
		own := st.w
		if st.w = st.mirror; st.w == nil {
			st.w = newWorld()
		}
		st.world(fields(rest))
		st.mirror, st.w = st.w, own
	case "set":
		for k, v := range fields(rest) {
			st.seen[k] = v
		}
	case "run":
		st.run(st.duration(rest))
	case "tick":
		st.tick(true)
	case "reload":
		st.take(gate.Replan{Withdrawn: rest == "withdrawn"}, true)
	case "restart":
		st.restart()
	case "next":
		st.say("%s", gate.Next(st.s, st.p, st.last, st.now()))
	case "allowed":
		st.say("%s", strings.Join(gate.Allowed(st.s, st.p, st.now()), " "))
	case "why":
		v := st.w.view()
		st.lines = append(st.lines, gate.Why(st.s, st.p, st.last, &v, 4)...)
	case "sent":
		st.say("%s of the users are on the canary", st.s.Sent())
	case "state":
		st.say("%s, stage %d of %d, weight %s, attempt %d, revision %s, version %d", st.s.Phase, st.s.Stage, len(st.p.Stages),
			st.s.Weight, st.s.Attempt, st.s.Revision, st.s.Version)
	default:
		st.operate(word, fields(rest))
	}
}

func (st *story) now() time.Time { return st.start.Add(st.at) }

// fields reads key=value pairs; a value with blanks is in quotes.
func fields(text string) map[string]string {
	m := map[string]string{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		key, rest, _ := strings.Cut(text, "=")
		var value string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			value, text, _ = strings.Cut(quoted, `"`)
		} else {
			value, text, _ = strings.Cut(rest, " ")
		}
		m[key] = value
	}
	return m
}

func (st *story) duration(text string) time.Duration {
	st.t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		st.t.Fatalf("%q is no duration", text)
	}
	return d
}

func (st *story) number(text string) float64 {
	st.t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		st.t.Fatalf("%q is no number", text)
	}
	return f
}

func (st *story) share(text string) float64 {
	st.t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil {
		st.t.Fatalf("%q is no share", text)
	}
	return f / 100
}

// policy changes the policy; what is not named stays. Gates named later are added to a new list.
func (st *story) policy(m map[string]string) {
	st.t.Helper()
	p := gate.Policy{
		Rollout: "checkout", Revision: "r2", StableRevision: "r1", MaxStage: 6 * time.Hour, Warmup: 0, Sparse: "extend",
		HoldTimeout: time.Hour, OnHoldTimeout: "rollback", OnFail: "rollback", Holdback: 100, KeepOld: time.Hour,
		AlphaFail: .01, AlphaPass: .05,
	}
	if st.p != nil {
		p = *st.p
	}
	p.Stages = append([]gate.Stage(nil), p.Stages...)
	every := 2 * time.Minute
	if len(p.Stages) > 0 {
		every = p.Stages[0].Least
	}
	if v, ok := m["ladder"]; ok {
		stages, err := ladder.Parse(strings.Split(v, ","))
		if err != nil {
			st.t.Fatal(err)
		}
		p.Stages = stages
	}
	if v, ok := m["rings"]; ok {
		rings(&p, strings.FieldsFunc(v, func(r rune) bool { return r == ',' }))
	}
	for k, v := range m {
		st.setting(&p, k, v)
	}
	if v, ok := m["every"]; ok {
		every = st.duration(v)
	}
	for i := range p.Stages {
		p.Stages[i].Least = every
	}
	if v, ok := m["approve"]; ok { // stage/owner/timeout/on_timeout
		st.approve(&p, strings.Split(v, "/"))
	}
	st.w.warmup = p.Warmup
	st.p, st.pending = &p, nil
}

func (st *story) setting(p *gate.Policy, k, v string) {
	st.t.Helper()
	switch k {
	case "ladder", "rings", "every", "approve":
	case "revision":
		p.Revision = v
	case "people":
		p.People = v
	case "stable":
		p.StableRevision = v
	case "start":
		p.ManualStart = v == "manual"
	case "max_stage":
		p.MaxStage = st.duration(v)
	case "warmup":
		p.Warmup = st.duration(v)
	case "sparse":
		p.Sparse = v
	case "widen_max":
		p.WidenMax = router.Weight(st.share(v) * 10_000)
	case "hold_timeout":
		p.HoldTimeout = st.duration(v)
	case "on_hold_timeout":
		p.OnHoldTimeout = v
	case "on_fail":
		p.OnFail = v
	case "holdback":
		p.Holdback = router.Weight(st.share(v) * 10_000)
	case "keep_old":
		p.KeepOld = st.duration(v)
	case "plain":
		p.Plain = &gate.Plain{Window: st.duration(v), MinRequests: 100, Failures: 3}
	case "mirror":
		share := router.Weight(st.share(v) * 10_000)
		p.Stages = append([]gate.Stage{{Label: "mirror " + share.String(), Mirror: share}}, p.Stages...)
	case "drill":
		p.DrillAge = st.duration(v)
	case "dry_run":
		p.DryRun = v == "true"
	case "revert_over":
		p.RevertOver = st.duration(v)
	case "capacity":
		p.Capacity = st.number(v)
	case "stable_capacity":
		p.StableCapacity = st.number(v)
	case "window":
		w, err := calendar.Parse(v)
		if err != nil {
			st.t.Fatal(err)
		}
		p.Window = calendar.Windows{w}
	default:
		st.t.Fatalf("no such setting: %s", k)
	}
}

func (st *story) approve(p *gate.Policy, parts []string) {
	st.t.Helper()
	i, err := strconv.Atoi(parts[0])
	if err != nil || i < 1 || i > len(p.Stages) || len(parts) != 4 {
		st.t.Fatalf("approve: want stage/owner/timeout/on_timeout, got %q", parts)
	}
	p.Stages[i-1].Owner = parts[1]
	p.Stages[i-1].Approve = &gate.Approve{Timeout: st.duration(parts[2]), OnTimeout: parts[3]}
}

// gate adds "metric | hold | rollback", with "-" for none and "dry" at the end for a dry run.
func (st *story) gate(text string) {
	st.t.Helper()
	parts := strings.Split(text, "|")
	spec := criterion.Spec{Metric: strings.TrimSpace(parts[0]), DryRun: len(parts) > 3}
	for i, l := range []**criterion.Limit{&spec.Hold, &spec.Rollback} {
		if written := strings.TrimSpace(parts[i+1]); written != "-" {
			limit, err := criterion.ParseLimit(written)
			if err != nil {
				st.t.Fatal(err)
			}
			*l = limit
		}
	}
	c, err := criterion.New(spec)
	if err != nil {
		st.t.Fatal(err)
	}
	st.pending = append(st.pending, c)
	p := *st.p
	p.Criteria = st.pending
	st.p = &p
}

func (st *story) world(m map[string]string) {
	st.t.Helper()
	for k, v := range m {
		switch k {
		case "rps":
			rps, err := strconv.ParseFloat(v, 64)
			if err != nil {
				st.t.Fatal(err)
			}
			st.w.rps = rps
		case "stable":
			st.w.stable.errors = st.share(v)
		case "canary":
			st.w.canary.errors = st.share(v)
		case "refused":
			st.w.canary.refused = st.share(v)
		case "stable_p50":
			st.w.stable.lat = st.duration(v)
		case "canary_p50":
			st.w.canary.lat = st.duration(v)
		case "heavy":
			st.w.heavy = st.share(v)
		case "bucket":
			st.w.bucket = st.share(v)
		case "observed":
			st.w.observed = st.share(v)
		case "before":
			st.w.before = st.share(v)
		default:
			if st.w.ring.world(st.t, k, v) {
				continue
			}
			st.t.Fatalf("no such thing in the world: %s", k)
		}
	}
}

func (st *story) run(d time.Duration) {
	for end := st.at + d; st.at < end; {
		st.terse = st.at+time.Second < end // nobody reads the intervals of the others
		st.tick(false)
	}
	st.terse = false
}

func (st *story) tick(aloud bool) {
	st.at += time.Second
	st.w.spend(time.Second, st.w.ring.sent(&st.s))
	seen := st.w.seen(st.s)
	seen.CanaryHealthy = st.seen["healthy"] != "false"
	seen.StableHealthy = st.seen["stable_healthy"] != "false"
	seen.WindowOpen, _ = st.p.Window.Open(st.now())
	seen.WindowOpen = seen.WindowOpen && st.seen["window"] != "closed"
	seen.Load = st.w.rps
	if who := st.seen["freeze"]; who != "" && who != "off" {
		seen.Freeze = &gate.Freeze{Actor: who, Reason: "the big sale"}
	}
	seen.JournalAvailable = st.seen["journal"] != "down"
	seen.Terse = st.terse
	seen.Past = st.w.ring.past(st.p, &st.s)
	seen.Drilled = st.seen["drilled"] == "true"
	if st.mirror != nil && st.s.Stage == 1 {
		st.mirror.spend(time.Second, .9)
		v := st.mirror.view()
		seen.Mirror = &v
	}
	st.take(gate.Tick{Seen: seen}, aloud)
}

func (st *story) take(ev gate.Event, aloud bool) {
	st.t.Helper()
	s, d := gate.Step(st.s, st.p, st.now(), ev)
	if d.News != (s.Version > st.s.Version) {
		st.t.Errorf("News %v, version %d -> %d: %s", d.News, st.s.Version, s.Version, d.Action)
	}
	if s.Step != st.step {
		st.w.renew()
		if st.mirror != nil {
			st.mirror.renew()
		}
		st.step = s.Step
	}
	st.s = s
	if _, tick := ev.(gate.Tick); tick {
		st.last = d
	}
	if d.News || aloud {
		st.say("%-7s %s: %s", stamp(st.at), d.Action, gate.Explain(s, st.p, d))
	}
}

func stamp(d time.Duration) string {
	if d >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func (st *story) operate(word string, m map[string]string) {
	st.t.Helper()
	op := gate.Operator{Actor: m["actor"], Reason: m["reason"], Full: m["full"] == "true", Rights: rightsOf(m["role"])}
	if err := op.Verb.UnmarshalText([]byte(word)); err != nil {
		st.t.Fatalf("%s is neither a command nor a verb", word)
	}
	if v, ok := m["if_version"]; ok {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			st.t.Fatal(err)
		}
		op.IfVersion = &n
	}
	op.FromStage, _ = strconv.Atoi(m["from_stage"])
	op.All, op.Load = m["all"] == "true", st.w.rps
	op.Frozen = st.seen["freeze"] != "" && st.seen["freeze"] != "off"
	st.take(op, true)
}

func (st *story) restart() {
	st.t.Helper()
	text, err := json.Marshal(st.s)
	if err != nil {
		st.t.Fatal(err)
	}
	var s gate.State
	if err := json.Unmarshal(text, &s); err != nil {
		st.t.Fatal(err)
	}
	st.s = s
	st.at += time.Minute
	st.say("%-7s (the process was away for a minute)", stamp(st.at))
}

// benchCriteria are an error gate and a latency gate as of a usual file.
func benchCriteria(tb testing.TB) []gate.Criterion {
	tb.Helper()
	limit := func(text string) *criterion.Limit {
		l, err := criterion.ParseLimit(text)
		if err != nil {
			tb.Fatal(err)
		}
		return l
	}
	var all []gate.Criterion
	for _, s := range []criterion.Spec{
		{Metric: "error_rate", Hold: limit("stable + 0.5pt"), Rollback: limit("stable + 2pt")},
		{Metric: "latency_p95", Hold: limit("stable * 1.10"), Rollback: limit("stable * 1.5")},
	} {
		c, err := criterion.New(s)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// rightsOf is what a role of a transcript may do; without one nobody is told apart. capped owns nothing and leads to no more than 5 %.
func rightsOf(role string) *gate.Rights {
	switch role {
	case "":
		return nil
	case "admin":
		return &gate.Rights{Admin: true}
	case "capped":
		return &gate.Rights{Ceiling: 500}
	}
	return &gate.Rights{Owns: []string{role}}
}
