package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync"
)

// leastToken is the fewest bytes of a token: with less, guessing begins to pay.
const leastToken = 16

// credential is the hash of a token's secret, taken anew when its file changes. A secret that cannot be read matches
// nothing: whoever removes the file has revoked the token.
type credential struct {
	opts Options
	dir  string
	ref  Secret

	mu   sync.Mutex
	seen stamp             // guarded by mu: the file as it was when last read
	hash [sha256.Size]byte // guarded by mu
	err  error             // guarded by mu
}

// newCredential reads the secret for the first time.
func newCredential(dir string, ref Secret, opts Options) (*credential, error) {
	c := &credential{opts: opts, dir: dir, ref: ref, seen: stampOf(dir, ref, opts)}
	c.read()
	return c, c.err
}

// stampOf looks at a secret's file without reading it; the zero stamp where it has none or it is gone.
func stampOf(dir string, ref Secret, opts Options) stamp {
	path := ref.Name
	switch ref.Source {
	case "env":
		return stamp{}
	case "credential":
		dir = opts.Getenv("CREDENTIALS_DIRECTORY")
	}
	info, err := opts.Stat(within(dir, path))
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// read takes the hash, with mu held or before anybody else knows c.
func (c *credential) read() {
	text, err := c.opts.resolve(c.dir, c.ref)
	if err == nil && len(text) < leastToken {
		err = fmt.Errorf("has %d bytes: want at least %d, such as from openssl rand -hex 32", len(text), leastToken)
	}
	c.err = err
	c.hash = sha256.Sum256([]byte(text))
}

// is compares a given secret's hash with ours, in a time that tells nothing about either.
func (c *credential) is(given [sha256.Size]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := stampOf(c.dir, c.ref, c.opts); now != c.seen || c.err != nil {
		c.seen = now
		c.read()
	}
	return subtle.ConstantTimeCompare(c.hash[:], given[:]) == 1 && c.err == nil
}
