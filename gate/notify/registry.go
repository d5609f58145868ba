package notify

import (
	"net/http"
	"time"
)

// need says whether a kind takes a key of its table.
type need uint8

const (
	never need = iota
	may
	must
)

// Kind is one way of telling. A kind is one file here and one line in Kinds.
type Kind struct {
	URL        need
	Secret     need
	Command    need
	PrivateURL bool // who knows the URL can post: it is given by reference only
	Alerts     bool // keeps alerts of its own: is told when what was open is over
	Acks       bool // ... and when somebody looks
	render     func(n *Notice, t terms) (request, error)
}

// Asks reports what a kind makes of url, secret and command: whether each may be given, and whether it must.
func (k Kind) Asks(key string) (allowed, required bool) {
	n := map[string]need{"url": k.URL, "secret": k.Secret, "command": k.Command}[key]
	return n != never, n == must
}

// terms are what a rendering needs besides the notice.
type terms struct {
	url, secret string
	source      string // of CloudEvents: who we are
	now         time.Time
}

// request is a rendered notice.
type request struct {
	url    string
	body   []byte
	header http.Header
}

// Kinds are the sinks by the word of notify.NAME.kind.
var Kinds = map[string]Kind{
	"webhook":      {URL: must, Secret: may, render: webhook},
	"slack":        {URL: must, PrivateURL: true, render: slack},
	"teams":        {URL: must, PrivateURL: true, render: teams},
	"discord":      {URL: must, PrivateURL: true, render: discord},
	"pagerduty":    {URL: may, Secret: must, Alerts: true, Acks: true, render: pagerDuty},
	"alertmanager": {URL: must, Secret: may, Alerts: true, render: alertManager},
	"command":      {Command: must},
}
