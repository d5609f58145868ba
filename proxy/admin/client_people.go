package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// SetToken makes every request carry a token; "" for none. It refuses where the token would travel in the clear. To be called
// before the first request.
func (c *Client) SetToken(token string) error {
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("the token holds a space or a character that no header can carry")
	}
	if host := c.base.Hostname(); token != "" && c.base.Scheme == "http" && host != "localhost" {
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return errors.New("the token would travel in the clear to " + c.address)
		}
	}
	c.token = token
	return nil
}

// Trust makes an https client believe these authorities (PEM) alone. To be called before the first request.
func (c *Client) Trust(pem []byte) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("there is no PEM certificate in it")
	}
	tr, ok := c.http.Transport.(*http.Transport)
	if !ok {
		panic("BUG: the client's transport is none of net/http")
	}
	tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	return nil
}

// Ack acknowledges what is open of a rollout.
func (c *Client) Ack(ctx context.Context, name string, a Act) (Acknowledged, error) {
	var v Acknowledged
	err := c.post(ctx, a, &v, "v1", "rollouts", name, "ack")
	return v, err
}

// Sinks lists who is told.
func (c *Client) Sinks(ctx context.Context) ([]Sink, error) {
	var v Sinks
	err := c.get(ctx, &v, nil, "v1", "notify")
	return v.Sinks, err
}

// TestSink sends a sample.
func (c *Client) TestSink(ctx context.Context, name string) error {
	var v struct{}
	return c.post(ctx, struct{}{}, &v, "v1", "notify", name, "test")
}
