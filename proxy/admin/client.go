package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	dialTimeout    = 3 * time.Second
	answerTimeout  = 15 * time.Second
	maxAnswerBytes = 64 << 20
	maxEventBytes  = 16 << 20
)

// Client asks a daemon's admin API. Safe for concurrent use.
type Client struct {
	address string
	base    *url.URL
	http    *http.Client
	token   string
}

// UnreachableError says that no daemon answered at Address.
type UnreachableError struct {
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	return "no serin answers at " + e.Address + ": " + e.Err.Error()
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// StatusError is an answer that is not 2xx.
type StatusError struct {
	Status int
	Failure
}

func (e *StatusError) Error() string { return e.Failure.Error }

// NewClient makes a client of an address: "host:port", ":port", an http or https URL, or "unix:/path".
func NewClient(address string) (*Client, error) {
	c := &Client{address: address}
	dialer := &net.Dialer{Timeout: dialTimeout}
	tr := &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: 2, IdleConnTimeout: 10 * time.Second, ForceAttemptHTTP2: false}
	switch path, unix := strings.CutPrefix(address, "unix:"); {
	case unix:
		if path == "" {
			return nil, errors.New(`admin address "unix:" names no socket`)
		}
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		c.base = &url.URL{Scheme: "http", Host: "localhost"}
	case strings.Contains(address, "://"):
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("admin address %q is no http or https URL", address)
		}
		c.base = u
	default:
		host, port, err := net.SplitHostPort(address)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return nil, fmt.Errorf(`admin address %q is neither "host:port" nor a URL nor "unix:/path"`, address)
		}
		if host == "" {
			host = "127.0.0.1"
		}
		c.base = &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	}
	c.http = &http.Client{
		Transport:     tr,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Address is where the client asks, as it was given.
func (c *Client) Address() string { return c.address }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Rollouts lists every rollout's status, in the order of the file.
func (c *Client) Rollouts(ctx context.Context) ([]Rollout, error) {
	var v Rollouts
	err := c.get(ctx, &v, nil, "v1", "rollouts")
	return v.Rollouts, err
}

// Rollout is one rollout's status.
func (c *Client) Rollout(ctx context.Context, name string) (Rollout, error) {
	var v Rollout
	err := c.get(ctx, &v, nil, "v1", "rollouts", name)
	return v, err
}

// Decisions lists at most limit decisions since a time, newest first; a zero since asks for all.
func (c *Client) Decisions(ctx context.Context, name string, since time.Time, limit int) ([]DecisionView, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339))
	}
	var v Decisions
	err := c.get(ctx, &v, q, "v1", "rollouts", name, "decisions")
	return v.Decisions, err
}

// Explain says where a request goes.
func (c *Client) Explain(ctx context.Context, ask Ask) (Explain, error) {
	var v Explain
	err := c.get(ctx, &v, ask.values(), "v1", "explain")
	return v, err
}

// Config is the configuration in force.
func (c *Client) Config(ctx context.Context) (Config, error) {
	var v Config
	err := c.get(ctx, &v, nil, "v1", "config")
	return v, err
}

// Act sends a person's act and returns the decision it caused.
func (c *Client) Act(ctx context.Context, name, verb string, a Act) (DecisionView, error) {
	var v DecisionView
	err := c.post(ctx, a, &v, "v1", "rollouts", name, verb)
	return v, err
}

// Reload asks the daemon to read its file again.
func (c *Client) Reload(ctx context.Context) (Reload, error) {
	var v Reload
	err := c.post(ctx, struct{}{}, &v, "v1", "reload")
	return v, err
}

func (c *Client) get(ctx context.Context, into any, q url.Values, path ...string) error {
	req, err := c.request(ctx, http.MethodGet, q, nil, path)
	if err != nil {
		return err
	}
	return c.do(req, into)
}

func (c *Client) post(ctx context.Context, body, into any, path ...string) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := c.request(ctx, http.MethodPost, nil, b, path)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(req, into)
}

// request escapes each path segment by itself: a name with a slash stays one segment.
func (c *Client) request(ctx context.Context, method string, q url.Values, body []byte, path []string) (*http.Request, error) {
	escaped := make([]string, len(path))
	for i, p := range path {
		escaped[i] = url.PathEscape(p)
	}
	u := strings.TrimSuffix(c.base.String(), "/") + "/" + strings.Join(escaped, "/")
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err == nil && c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, err
}

func (c *Client) do(req *http.Request, into any) error {
	ctx, cancel := context.WithTimeout(req.Context(), answerTimeout)
	defer cancel()
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return c.unreachable(req.Context(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return c.unreachable(req.Context(), err)
	}
	if resp.StatusCode != http.StatusOK {
		return statusError(resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.address, err)
	}
	return nil
}

// unreachable names the address, unless the caller's own context ended.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return &UnreachableError{Address: c.address, Err: err}
}

func statusError(status int, body []byte) error {
	e := &StatusError{Status: status}
	if json.Unmarshal(body, &e.Failure) != nil || e.Failure.Error == "" {
		e.Failure = Failure{Error: "the daemon answered " + strconv.Itoa(status) + " " + http.StatusText(status), Hint: "is this serin's admin address?"}
	}
	return e
}

// Event is one event of the stream.
type Event struct {
	ID, Kind string // snapshot | rollout | removed
	Data     []byte
}

// Events follows GET /v1/events until ctx ends, the stream breaks, or on returns an error. last resumes after an event seen.
func (c *Client) Events(ctx context.Context, last string, on func(Event) error) error {
	req, err := c.request(ctx, http.MethodGet, nil, nil, []string{"v1", "events"})
	if err != nil {
		return err
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBodyBytes))
		return statusError(resp.StatusCode, body)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEventBytes)
	var e Event
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if e.Data != nil {
				if err := on(e); err != nil {
					return err
				}
			}
			e = Event{}
			continue
		}
		switch field, value, _ := strings.Cut(line, ": "); field {
		case "id":
			e.ID = value
		case "event":
			e.Kind = value
		case "data":
			e.Data = []byte(value)
		}
	}
	err = lines.Err()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return c.unreachable(ctx, err)
}
