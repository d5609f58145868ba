package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxAnswer     = 64 << 10  // read of a receiver's answer, so that its connection can be used again
	maxSaid       = 200       // of it, in an error
	maxRetryAfter = time.Hour // of what a receiver asks us to wait
)

// refusedError is an answer that no second try changes.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// laterError is an answer that says when to come again.
type laterError struct {
	err   error
	after time.Duration
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// send renders a notice for a sink and sends it, once.
func (q *Queue) send(ctx context.Context, s *Spec, n *Notice) error {
	k := Kinds[s.Kind]
	if k.render == nil {
		return runCommand(ctx, s.Command, n)
	}
	t := terms{source: q.source, now: time.Now()}
	var err error
	if s.URL != nil {
		if t.url, err = s.URL(); err != nil {
			return fmt.Errorf("read url: %w", err)
		}
	}
	if s.Secret != nil {
		if t.secret, err = s.Secret(); err != nil {
			return fmt.Errorf("read secret: %w", err)
		}
	}
	r, err := k.render(n, t)
	if err != nil {
		return &refusedError{fmt.Errorf("render: %w", err)}
	}
	return q.post(ctx, r)
}

// post sends a request. Errors never hold the URL: who knows it can post.
func (q *Queue) post(ctx context.Context, r request) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return &refusedError{errors.New("the url is none")}
	}
	req.Header = r.header.Clone()
	req.Header.Set("User-Agent", "serin")
	resp, err := q.client.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Errorf("post: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	err = fmt.Errorf("the receiver answered %d%s", resp.StatusCode, quoted(said))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return &laterError{err, retryAfter(resp.Header.Get("Retry-After"))}
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooEarly:
		return err
	}
	return &refusedError{err}
}

// retryAfter reads seconds; a date, or nothing, is our own rhythm.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// quoted is the beginning of what a receiver said, on one line.
func quoted(said []byte) string {
	text := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(said), "")))
	if text == "" {
		return ""
	}
	return ": " + limit(text, maxSaid)
}
