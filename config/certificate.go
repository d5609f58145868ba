package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// certificate is a listener's TLS identity, read anew when one of its files changes. A change that cannot be used (a
// chain without its new key yet, a torn file) leaves the last good one in force until it can.
type certificate struct {
	cert, key, clientCA string // paths; clientCA "" for none
	opts                Options

	mu      sync.Mutex
	seen    [3]stamp    // guarded by mu: the files as they were when last read
	again   time.Time   // guarded by mu: when files that could not be used are read again as they are; zero: never
	current *tls.Config // guarded by mu
}

// readAgain is how long a failure that may not be the files' (descriptors were short) stays.
const readAgain = time.Minute

// stamp tells two states of a file apart.
type stamp struct {
	changed time.Time
	size    int64
}

// serverTLS reads a listener's certificate and returns a configuration that keeps itself current.
func serverTLS(t *ServerTLSTable, dir string, opts Options) (*tls.Config, error) {
	c := &certificate{cert: within(dir, string(t.Cert)), key: within(dir, string(t.Key)), opts: opts}
	if t.ClientCA != "" {
		c.clientCA = within(dir, string(t.ClientCA))
	}
	seen := c.stamps()
	current, err := c.load()
	if err != nil {
		return nil, err
	}
	c.seen, c.current = seen, current
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: current.NextProtos,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.latest(), nil
		},
	}, nil
}

// latest returns the configuration of the files as they are now, else the last one that could be used.
func (c *certificate) latest() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.stamps()
	told := seen == c.seen
	if told && (c.again.IsZero() || time.Now().Before(c.again)) {
		return c.current
	}
	c.seen = seen
	fresh, err := c.load()
	if err != nil {
		c.again = time.Now().Add(readAgain)
		if !told {
			c.opts.Certificate(c.cert, err)
		}
		return c.current
	}
	c.again, c.current = time.Time{}, fresh
	c.opts.Certificate(c.cert, nil)
	return fresh
}

// stamps looks at the files without reading them; a file that is not there has the zero stamp.
func (c *certificate) stamps() (s [3]stamp) {
	for i, path := range []string{c.cert, c.key, c.clientCA} {
		if path == "" {
			continue
		}
		if info, err := c.opts.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// load reads the files.
func (c *certificate) load() (*tls.Config, error) {
	chain, noChain := c.opts.ReadFile(c.cert)
	key, noKey := c.opts.ReadFile(c.key)
	switch {
	case noChain != nil && noKey != nil:
		return nil, fmt.Errorf("read cert: %w; read key: %w", noChain, noKey)
	case noChain != nil:
		return nil, fmt.Errorf("read cert: %w", noChain)
	case noKey != nil:
		return nil, fmt.Errorf("read key: %w", noKey)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
		Certificates: []tls.Certificate{pair},
	}
	if c.clientCA != "" {
		if config.ClientCAs, err = authorities(c.clientCA, c.opts); err != nil {
			return nil, err
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// clientTLS is how a pool's servers are known. ServerName is empty where each server's own name is to be used.
func clientTLS(t *ClientTLSTable, dir string, opts Options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if t == nil {
		return config, nil
	}
	config.ServerName = string(t.ServerName)
	config.InsecureSkipVerify = bool(t.SkipVerify)
	if t.CA == "" {
		return config, nil
	}
	var err error
	config.RootCAs, err = authorities(within(dir, string(t.CA)), opts)
	return config, err
}

// authorities reads a file of PEM certificates.
func authorities(path string, opts Options) (*x509.CertPool, error) {
	data, err := opts.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errors.New("no PEM certificate in " + path)
	}
	return pool, nil
}
