package upstream

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Check is what the last active check of a server said.
type Check struct {
	At     time.Time // zero: none yet
	OK     bool
	Detail string
}

// checkDue starts the checks that are due; each runs in its own goroutine until its timeout.
func (p *Pool) checkDue(ctx context.Context, wg *sync.WaitGroup) {
	h := p.spec.Health
	if h == nil {
		return
	}
	now := p.since()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.servers {
		if s.checking || now < s.nextCheck {
			continue
		}
		s.checking = true
		s.nextCheck = now + h.Every - time.Duration(rand.Int64N(int64(h.Every)/10+1)) // apart from each other
		wg.Go(func() {
			detail, err := p.check(ctx, s, h)
			if ctx.Err() == nil {
				p.checked(s, h, detail, err)
			}
		})
	}
}

// check asks once, on a connection of its own, so that a full pool does not look like a dead server.
func (p *Pool) check(ctx context.Context, s *Server, h *Health) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			conn, _, err := p.connect(s, h.Timeout)
			return conn, err
		},
	}
	host := s.spec.Address
	if s.spec.Network == "unix" {
		host = "localhost"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+h.Path, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("User-Agent", "serin-health")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	if response.StatusCode < 200 || response.StatusCode > 399 {
		return "", fmt.Errorf("status %d", response.StatusCode)
	}
	return fmt.Sprintf("status %d", response.StatusCode), nil
}

// checked takes a check's answer. The first one decides at once: a pool need not wait for several to begin.
func (p *Pool) checked(s *Server, h *Health, detail string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.checking = false
	first := !s.checked
	s.checked = true
	s.lastCheck = Check{At: time.Now(), OK: err == nil, Detail: detail}
	was := s.down
	if err != nil {
		s.lastCheck.Detail = err.Error()
		s.good, s.bad = 0, s.bad+1
		s.down = s.down || first || s.bad >= h.Unhealthy
	} else {
		s.good, s.bad = s.good+1, 0
		s.down = s.down && !first && s.good < h.Healthy
	}
	if was != s.down || first {
		if was && !s.down {
			s.rampFrom, s.failures = max(p.coarse(), 1), 0
		}
		p.recount()
	}
	if was != s.down {
		p.log.Warn("server health changed", "upstream", p.spec.Name, "server", s.spec.Name, "up", !s.down, "err", err)
	}
}
