// Package probe asks what gates want to know from elsewhere: the value of a query of a Prometheus server, the answer of a
// check. Each gate has a goroutine and a schedule of its own; the control loop reads what was heard last and never waits. A
// source that is late, fails or talks nonsense gives no reading, and a gate without a reading holds.
package probe

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"serin/gate"
)

// Ask is one gate's question, as the configuration has it.
type Ask struct {
	Rollout string
	Rule    string // the gate.Criterion it is for
	Query   string // PromQL; empty: a check
	Value   bool   // of a check: it answers a value, not a verdict
	URL     string // the Prometheus server's, or the check's
	Every   time.Duration
	Timeout time.Duration
	Bearer  string // sent as a bearer token; empty: none
}

// Subject is what a question is about. {{rollout}}, {{revision}}, {{stage}} and {{weight}} in a query stand for it, and a
// check gets all of it as JSON.
type Subject struct {
	Rollout  string  `json:"rollout"`
	Revision string  `json:"revision"`
	Attempt  int     `json:"attempt"`
	Phase    string  `json:"phase"`
	Stage    int     `json:"stage"`
	Weight   float64 `json:"weight"`
}

// stale is how many periods old a reading may be and still count.
const stale = 3

// idle is how soon a rollout that was not worth a question is looked at again.
const idle = time.Second

// Options of a Prober. Subject is required.
type Options struct {
	Subject func(rollout string) (s Subject, wanted bool) // not wanted: the rollout asks nothing now
	Log     *slog.Logger                                  // nil: silent
	Client  *http.Client                                  // nil: one of its own, without redirects
}

// Prober keeps the readings. Safe for concurrent use.
type Prober struct {
	o Options

	mu   sync.Mutex
	asks map[Ask]*source               // guarded by mu
	read map[string]map[string]*source // guarded by mu; by rollout and rule; inner maps are immutable
	base context.Context               // guarded by mu; nil: Run has not begun
	wg   sync.WaitGroup
}

// source is one gate's readings.
type source struct {
	stop context.CancelFunc

	mu    sync.Mutex
	heard gate.Outside // guarded by mu; ages are made at reading
	asked []time.Time  // guarded by mu; when heard.Values were asked for
}

// New makes a prober that asks nothing before Run.
func New(o Options) *Prober {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: 2 * time.Minute, ResponseHeaderTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Prober{o: o, asks: map[Ask]*source{}}
}

// Follow makes asks the ones that are asked. Those that stay keep their readings.
func (p *Prober) Follow(asks []Ask) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := make(map[Ask]*source, len(asks))
	p.read = map[string]map[string]*source{}
	for _, a := range asks {
		if kept[a] != nil { // the same gate twice asks once
			continue
		}
		s := p.asks[a]
		if s == nil {
			s = &source{heard: gate.Outside{Stale: stale * a.Every}}
			p.begin(a, s)
		}
		kept[a] = s
		if p.read[a.Rollout] == nil {
			p.read[a.Rollout] = map[string]*source{}
		}
		p.read[a.Rollout][a.Rule] = s
		delete(p.asks, a)
	}
	for _, gone := range p.asks {
		if gone.stop != nil {
			gone.stop()
		}
	}
	p.asks = kept
}

// begin starts asking, if Run has begun. The caller holds mu.
func (p *Prober) begin(a Ask, s *source) {
	if p.base == nil || p.base.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(p.base)
	s.stop = stop
	p.wg.Go(func() { p.repeat(ctx, a, s) })
}

// Run asks until ctx ends.
func (p *Prober) Run(ctx context.Context) error {
	p.mu.Lock()
	p.base = ctx
	for a, s := range p.asks {
		p.begin(a, s)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.wg.Wait()
	p.o.Client.CloseIdleConnections()
	return nil
}

// repeat asks one gate's question again and again.
func (p *Prober) repeat(ctx context.Context, a Ask, s *source) {
	next := time.NewTimer(0)
	defer next.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		subject, wanted := p.o.Subject(a.Rollout)
		if !wanted { // asked as soon as it begins, not a whole period later
			next.Reset(min(a.Every, idle))
			continue
		}
		next.Reset(a.Every)
		told = p.once(ctx, a, s, subject, told)
	}
}

// once asks, keeps what was heard, and logs a failure that is another than the one told before.
func (p *Prober) once(ctx context.Context, a Ask, s *source, subject Subject, told string) string {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	asked := time.Now()
	var r reading
	var err error
	if a.Query != "" {
		r, err = p.query(ctx, a, subject)
	} else {
		r, err = p.check(ctx, a, subject)
	}
	s.hear(r, err, asked)
	if err == nil {
		return ""
	}
	if text := err.Error(); text != told && ctx.Err() != context.Canceled {
		p.o.Log.Warn("outside gate gives no reading", "rollout", a.Rollout, "gate", a.Rule, "err", err)
		return text
	}
	return told
}

// reading is one answer.
type reading struct {
	value  float64
	answer gate.Verdict
	note   string
}

func (s *source) hear(r reading, err error, asked time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.heard.Failure = err.Error()
		return
	}
	values := append([]float64(nil), s.heard.Values...) // readers have the old ones
	s.asked = append(s.asked, asked)
	if values = append(values, r.value); len(values) > gate.OutsideKept {
		values, s.asked = values[1:], s.asked[1:]
	}
	s.heard = gate.Outside{Values: values, Answer: r.answer, Note: r.note, Stale: s.heard.Stale, Heard: true}
}

// Read returns what was heard for a rollout, by rule; nil where it asks nothing.
func (p *Prober) Read(rollout string, now time.Time) map[string]gate.Outside {
	p.mu.Lock()
	sources := p.read[rollout]
	p.mu.Unlock()
	if len(sources) == 0 {
		return nil
	}
	out := make(map[string]gate.Outside, len(sources))
	for rule, s := range sources {
		out[rule] = s.read(now)
	}
	return out
}

// read is what was heard, with its ages.
func (s *source) read(now time.Time) gate.Outside {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard
	heard.Ages = make([]time.Duration, len(s.asked))
	for i, asked := range s.asked {
		heard.Ages[i] = now.Sub(asked)
		heard.Age = heard.Ages[i]
	}
	return heard
}

// filled puts the subject into a query.
func filled(query string, s Subject) string {
	return strings.NewReplacer("{{rollout}}", s.Rollout, "{{revision}}", s.Revision, "{{stage}}", itoa(s.Stage), "{{weight}}", ftoa(s.Weight)).Replace(query)
}
