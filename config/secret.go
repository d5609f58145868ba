package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// maxSecret bounds the bytes of a secret's file.
const maxSecret = 64 << 10

// Secret says where a secret is; the secret itself is never in the file, in a log or in the effective configuration.
type Secret struct {
	Source string // file | env | credential
	Name   string // path, variable or name below $CREDENTIALS_DIRECTORY
}

// decodeSecret reads { file = "..." }, { env = "..." } or { credential = "..." }.
func decodeSecret(raw any) (Secret, error) {
	want := `{ file = "PATH" }, { env = "NAME" } or { credential = "NAME" }`
	if _, inline := raw.(string); inline { // not repeated: it may be the secret
		return Secret{}, errors.New("want " + want + ": a secret is never in the file itself")
	}
	table, ok := raw.(map[string]any)
	if !ok || len(table) != 1 {
		return Secret{}, wanted(want, raw)
	}
	for source, name := range table {
		text, ok := name.(string)
		switch source {
		case "file", "env", "credential":
		default:
			return Secret{}, fmt.Errorf("want %s, got the key %s", want, show(source))
		}
		if !ok || text == "" || strings.ContainsRune(text, 0) {
			return Secret{}, fmt.Errorf("%s needs a name, got %s", source, show(name))
		}
		if source == "credential" && (strings.Contains(text, "/") || text == "..") {
			return Secret{}, fmt.Errorf("%s is no credential's name: it has no slash", show(text))
		}
		return Secret{Source: source, Name: text}, nil
	}
	panic("BUG: a table of one key has none")
}

func (r Secret) literal() string { return "{ " + r.Source + " = " + quote(r.Name) + " }" }

// Salt is text, or a reference to a secret.
type Salt struct {
	Text   string
	Secret Secret // Source "": Text counts
}

func (s *Salt) decode(raw any) error {
	if text, ok := raw.(string); ok {
		if text == "" {
			return errors.New("an empty salt: leave the key out for the rollout's name")
		}
		*s = Salt{Text: text}
		return nil
	}
	secret, err := decodeSecret(raw)
	*s = Salt{Secret: secret}
	return err
}

func (s Salt) literal() string {
	if s.Secret.Source != "" {
		return s.Secret.literal()
	}
	return quote(s.Text)
}
func (Salt) unit() string    { return "text or secret" }
func (Salt) pattern() string { return "" }

// resolve reads a secret. A file's name is relative to dir; one newline at its end is not part of the secret.
func (o Options) resolve(dir string, r Secret) (string, error) {
	var text string
	switch r.Source {
	case "env":
		text = o.Getenv(r.Name)
		if text == "" {
			return "", fmt.Errorf("environment variable %s is not set or empty", r.Name)
		}
		return text, nil
	case "credential":
		base := o.Getenv("CREDENTIALS_DIRECTORY")
		if base == "" {
			return "", fmt.Errorf("credential %s: $CREDENTIALS_DIRECTORY is not set", r.Name)
		}
		dir, text = base, r.Name
	case "file":
		text = r.Name
	default:
		panic("BUG: secret from " + r.Source)
	}
	data, err := o.ReadFile(within(dir, text))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", r.Source, err)
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("%s %s has more than %d bytes", r.Source, r.Name, maxSecret)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if secret == "" {
		return "", fmt.Errorf("%s %s is empty", r.Source, r.Name)
	}
	return secret, nil
}

// within makes a path of the file relative to its directory.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
