package config

import (
	"fmt"
	"net/url"
)

// NotifyTable is [notify.NAME].
type NotifyTable struct {
	Kind    Text       `key:"kind" required:"true" enum:"webhook|slack|teams|discord|pagerduty|alertmanager|command" doc:"webhook: a CloudEvents 1.0 JSON document, with Standard Webhooks signature headers where secret is given. slack, teams, discord: a message by the channel's (workflow's) webhook. pagerduty: Events API v2, secret is the routing key. alertmanager: API v2, url is its base, secret a bearer token. command: a program, with the notice as JSON on its stdin."`
	URL     *SinkURL   `key:"url" doc:"Where it goes. Whoever has the URL of a chat's webhook can post, so that one is given by reference: { file = \"PATH\" }, { env = \"NAME\" } or { credential = \"NAME\" }."`
	Secret  *SecretRef `key:"secret" doc:"What proves that it is from us, by reference. It is read at every send."`
	Command []Text     `key:"command" doc:"For kind command: the program and its arguments; a path is relative to the configuration file. It gets no variable of ours but PATH, HOME, LANG, TZ, TMPDIR and SERIN_EVENT, SERIN_STATE, SERIN_ROLLOUT, SERIN_SEVERITY. Exit code 0 is told; any other is tried again."`
	Timeout Duration   `key:"timeout" default:"10s" min:"100ms" max:"5m" doc:"Of one try. A failed one is made again after 1 s, 2 s, 4 s ... 5 min, for a day; 4xx is final."`
	Events  []Text     `key:"events" default:"hold, approval, rollback, complete" enum:"revision|start|advance|hold|approval|approve|rollback|step_back|complete|pause|resume|promote|retry|withdrawn" doc:"What is told."`
	Repeat  Duration   `key:"repeat" default:"0s" doc:"Tell again what waits for somebody (hold, approval, a rollback by the gates) so often, until serin ack or until it is over. 0s is once; else at least 5s."`
}

// SinkURL is a URL, or a reference to one that is itself a secret.
type SinkURL struct {
	Text   string
	Secret Secret // Source "": Text counts
}

func (u *SinkURL) decode(raw any) error {
	if text, ok := raw.(string); ok {
		*u = SinkURL{Text: text}
		return checkSinkURL(text)
	}
	secret, err := decodeSecret(raw)
	*u = SinkURL{Secret: secret}
	return err
}

// checkSinkURL refuses what cannot be posted to, without repeating it: it may be a secret.
func checkSinkURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		return fmt.Errorf(`want a URL such as "https://receiver.example/hook"`)
	case parsed.User != nil:
		return fmt.Errorf("a URL must not hold a name or password")
	}
	return nil
}

func (u SinkURL) literal() string {
	if u.Secret.Source != "" {
		return u.Secret.literal()
	}
	return quote(u.Text)
}
func (SinkURL) unit() string    { return "URL or secret" }
func (SinkURL) pattern() string { return "" }
