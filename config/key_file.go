package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"serin/router"
)

const (
	maxKeyFile = 16 << 20 // bytes
	maxKeys    = 1_000_000
)

// keyFile reads a file of keys.
func (b *builder) keyFile(at, name string) (*router.KeySet, string) {
	switch {
	case b.bad[at]:
		return nil, ""
	case strings.ContainsRune(name, 0):
		b.report(at, "want the name of a file", "")
		return nil, ""
	}
	path := within(b.dir, name)
	b.reads(path)
	data, err := b.opts.readKeys(path)
	if err != nil {
		var inner *fs.PathError
		if errors.As(err, &inner) {
			err = inner.Err
		}
		b.report(at, fmt.Sprintf("read %s: %v", show(name), err), "")
		return nil, ""
	}
	keys, err := parseKeys(data)
	if err != nil {
		b.report(at, name+err.Error(), "")
		return nil, ""
	}
	if len(keys) == 0 {
		b.warn(at, name+" has no key: nobody is meant")
	}
	sum := sha256.Sum256(data)
	return router.NewKeySet(keys), hex.EncodeToString(sum[:8])
}

// parseKeys reads one key a line; blank lines and those that begin with # are none. The error begins with where it is.
func parseKeys(data []byte) ([]string, error) {
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf(": more than %d MiB", maxKeyFile>>20)
	}
	var keys []string
	n := 0
	for line := range bytes.Lines(data) {
		n++
		key := trimKey(line)
		switch {
		case len(key) == 0 || key[0] == '#':
			continue
		case len(key) > router.MaxKey:
			return nil, fmt.Errorf(":%d: a key of %d bytes: at most %d count", n, len(key), router.MaxKey)
		case bytes.IndexByte(key, 0) >= 0:
			return nil, fmt.Errorf(":%d: a NUL byte: want text, one key a line", n)
		case len(keys) == maxKeys:
			return nil, fmt.Errorf(":%d: more than %d keys", n, maxKeys)
		}
		keys = append(keys, string(key))
	}
	return keys, nil
}

// trimKey cuts white space and byte order marks, which editors put in front of a file, and so between two that were joined.
func trimKey(line []byte) []byte {
	for {
		key := bytes.TrimPrefix(bytes.TrimSpace(line), []byte("\ufeff"))
		if len(key) == len(line) {
			return key
		}
		line = key
	}
}
