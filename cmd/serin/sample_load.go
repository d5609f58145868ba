package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// canaryVersion is what the new version of the sample service calls itself in X-Version.
const canaryVersion = "v2"

// sampleLoad is an open-loop crowd: requests arrive at random (Poisson) at a fixed rate whatever the answers do, as people
// do and closed-loop load generators do not. It keeps its own ledger, independent of what serin counts.
type sampleLoad struct {
	URL       string
	Users     int         // distinct user keys
	Rate      float64     // requests per second
	Heavy     float64     // share of the requests that user 0 sends, 0..1
	KeyHeader string      // carries the user's key, default X-User-Id
	Header    http.Header // of every request

	client *http.Client
	mu     sync.Mutex // guards ledger
	ledger ledger
}

// ledger is what the crowd saw, kept by the crowd itself.
type ledger struct {
	Sent, Failed int
	Broken       int            // without a whole HTTP answer
	FirstBroken  string         // the first such error, for the reader
	Versions     map[string]int // answers by X-Version
	Canary       int            // answers of v2
	LastCanary   time.Time
	Users        []visitor // by user number
}

// visitor is one user's share of the ledger.
type visitor struct {
	Sent         int
	SawCanary    bool
	CanaryFailed bool // saw an error of v2
}

// usersOnCanary and usersHurt count people, not requests.
func (l ledger) usersOnCanary() (n int) {
	for _, v := range l.Users {
		if v.SawCanary {
			n++
		}
	}
	return n
}

func (l ledger) usersHurt() (n int) {
	for _, v := range l.Users {
		if v.CanaryFailed {
			n++
		}
	}
	return n
}

// usersHurtIfSwitched estimates how many users would have seen an error had all of them been sent to a version that fails
// with probability p, over the same requests.
func (l ledger) usersHurtIfSwitched(p float64) int {
	sum := 0.0
	for _, v := range l.Users {
		sum += 1 - math.Pow(1-p, float64(v.Sent))
	}
	return int(sum + .5)
}

func newSampleLoad(url string, users int, rate float64) *sampleLoad {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &sampleLoad{URL: url, Users: users, Rate: rate, KeyHeader: "X-User-Id",
		client: &http.Client{
			Timeout:   20 * time.Second,
			Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, IdleConnTimeout: 30 * time.Second},
		},
		ledger: ledger{Users: make([]visitor, users), Versions: map[string]int{}},
	}
}

// Run sends until ctx ends, then waits for the answers still under way.
func (l *sampleLoad) Run(ctx context.Context) {
	var flying sync.WaitGroup
	defer l.client.CloseIdleConnections()
	defer flying.Wait()
	next := time.Now()
	for {
		next = next.Add(time.Duration(rand.ExpFloat64() / l.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		user := rand.IntN(l.Users)
		if l.Heavy > 0 && rand.Float64() < l.Heavy {
			user = 0
		}
		flying.Go(func() { l.visit(user) })
	}
}

// visit is one request of one user. It is not tied to Run's context: an accepted request deserves its answer.
func (l *sampleLoad) visit(user int) {
	req, err := http.NewRequest(http.MethodGet, l.URL, nil)
	if err != nil {
		l.note(user, 0, "", err)
		return
	}
	for name, values := range l.Header {
		req.Header[name] = values
	}
	req.Header.Set(l.KeyHeader, fmt.Sprintf("user-%04d", user))
	resp, err := l.client.Do(req)
	if err != nil {
		l.note(user, 0, "", err)
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	l.note(user, resp.StatusCode, resp.Header.Get("X-Version"), err)
}

func (l *sampleLoad) note(user, status int, version string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who := &l.ledger.Users[user]
	who.Sent++
	l.ledger.Sent++
	failed := err != nil || status >= http.StatusInternalServerError
	if failed {
		l.ledger.Failed++
	}
	if err != nil {
		l.ledger.Broken++
		if l.ledger.FirstBroken == "" {
			l.ledger.FirstBroken = err.Error()
		}
	}
	if version != "" {
		l.ledger.Versions[version]++
	}
	if version == canaryVersion {
		l.ledger.Canary++
		l.ledger.LastCanary = time.Now()
		who.SawCanary = true
		who.CanaryFailed = who.CanaryFailed || failed
	}
}

// Ledger is a copy of what was seen so far.
func (l *sampleLoad) Ledger() ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.ledger
	now.Users, now.Versions = slices.Clone(now.Users), maps.Clone(now.Versions)
	return now
}
