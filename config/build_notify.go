package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"serin/gate/notify"
)

// sinks builds who is told.
func (b *builder) sinks() {
	for _, name := range inOrder(b, "notify", b.config.Notify) {
		b.sink(name, b.config.Notify[name])
	}
}

func (b *builder) sink(name string, t *NotifyTable) {
	at := join("notify", name)
	spec := notify.Spec{Name: name, Kind: string(t.Kind), Timeout: time.Duration(t.Timeout), Repeat: time.Duration(t.Repeat)}
	for _, event := range t.Events {
		spec.Events = append(spec.Events, string(event))
	}
	for _, word := range t.Command {
		spec.Command = append(spec.Command, string(word))
	}
	k, known := notify.Kinds[spec.Kind]
	if known {
		b.asks(at, k, spec.Kind, "url", t.URL != nil)
		b.asks(at, k, spec.Kind, "secret", t.Secret != nil)
		b.asks(at, k, spec.Kind, "command", len(t.Command) > 0)
	}
	if t.URL != nil && !b.bad[join(at, "url")] {
		spec.URL = b.sinkURL(join(at, "url"), k, t.URL)
	}
	if t.Secret != nil && !b.bad[join(at, "secret")] {
		spec.Secret = b.reader(join(at, "secret"), t.Secret.Secret)
	}
	if len(spec.Command) > 0 && strings.Contains(spec.Command[0], "/") {
		spec.Command[0] = within(b.dir, spec.Command[0])
		if !strings.Contains(spec.Command[0], "/") { // else it would be looked for in $PATH
			spec.Command[0] = "./" + spec.Command[0]
		}
		if _, err := b.opts.Stat(spec.Command[0]); err != nil {
			b.report(join(at, "command"), fmt.Sprintf("no program %s", show(spec.Command[0])), "")
		}
	}
	if spec.Repeat > 0 && spec.Repeat < 5*time.Second {
		b.report(join(at, "repeat"), fmt.Sprintf("want 0s or at least 5s, got %s", t.Repeat), "")
	}
	if len(spec.Events) == 0 && !b.bad[join(at, "events")] {
		b.warn(join(at, "events"), "lists nothing, so nobody is told")
	}
	b.plan.Sinks = append(b.plan.Sinks, spec)
}

// asks checks that a key is there where the kind needs it, and only where it takes it.
func (b *builder) asks(at string, k notify.Kind, kind, key string, given bool) {
	allowed, required := k.Asks(key)
	switch {
	case given && !allowed:
		b.report(join(at, key), fmt.Sprintf("kind %s takes no %s", show(kind), key), "")
	case !given && required && !b.bad[join(at, key)]:
		b.report(at, fmt.Sprintf("kind %s needs %s", show(kind), key), "")
	}
}

// sinkURL is where a sink posts, read at every send where it is a secret.
func (b *builder) sinkURL(at string, k notify.Kind, u *SinkURL) func() (string, error) {
	if u.Secret.Source != "" {
		read := b.reader(at, u.Secret)
		if read == nil {
			return nil
		}
		if text, err := read(); err == nil {
			if err := checkSinkURL(text); err != nil {
				b.report(at, err.Error(), "")
			} else {
				b.plainHTTP(at, text)
			}
		}
		return read
	}
	if k.PrivateURL {
		b.report(at, "who has this URL can post, so it is a secret", `write { file = "PATH" }, { env = "NAME" } or { credential = "NAME" }`)
	}
	b.plainHTTP(at, u.Text)
	return func() (string, error) { return u.Text, nil }
}

// plainHTTP warns of notices that others can read on their way.
func (b *builder) plainHTTP(at, text string) {
	if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !loopback(u.Hostname()+":0") {
		b.warn(at, "is plain http: whoever is in between can read the notices and use their links")
	}
}

// reader reads a secret now, to refuse one that is not there, and at every call.
func (b *builder) reader(at string, ref Secret) func() (string, error) {
	dir, opts := b.dir, b.opts
	read := func() (string, error) { return opts.resolve(dir, ref) }
	if _, err := read(); err != nil {
		b.report(at, err.Error(), "")
		return nil
	}
	return read
}

// notified resolves whom a rollout or an experiment tells.
func (b *builder) notified(at string, names []Text) []string {
	var list []string
	for i, name := range names {
		place := element(join(at, "notify"), i)
		switch _, known := b.config.Notify[string(name)]; {
		case b.bad[place]:
		case !known:
			b.dangling(place, "notify", string(name), maps.Keys(b.config.Notify))
		case slices.Contains(list, string(name)):
			b.report(place, fmt.Sprintf("%s is listed twice", show(string(name))), "")
		default:
			list = append(list, string(name))
			b.told[string(name)] = true
		}
	}
	return list
}

// unheard warns of sinks that nobody tells anything.
func (b *builder) unheard() {
	for _, name := range inOrder(b, "notify", b.config.Notify) {
		if !b.told[name] {
			b.warn(join("notify", name), "no rollout's or experiment's notify names it")
		}
	}
}
