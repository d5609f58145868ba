package notify

import (
	"net/http"
	"strings"
	"time"
)

// staysFor is how long Alertmanager keeps what is open without another word from us: it is told when it is over, and
// resolves by itself what it never hears of again. doneFor is for what is over as soon as it is told.
const (
	staysFor = 24 * time.Hour
	doneFor  = 5 * time.Minute
)

// alert is a postableAlert of Alertmanager's API v2 (github.com/prometheus/alertmanager, api/v2/openapi.yaml).
type postableAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`
	EndsAt      string            `json:"endsAt"`
	Generator   string            `json:"generatorURL,omitempty"`
}

// alertManager posts one alert. The labels are its identity there: those of one open thing are always the same.
func alertManager(n *Notice, t terms) (request, error) {
	a := postableAlert{
		Labels: map[string]string{
			"alertname": "SerinRollout", "rollout": n.Rollout, "event": n.Event, "revision": n.Revision, "severity": n.Severity,
		},
		Annotations: map[string]string{"summary": headline(n), "description": join(n.Sentence, n.Next)},
		StartsAt:    n.At.UTC().Format(time.RFC3339), EndsAt: n.At.Add(doneFor).UTC().Format(time.RFC3339),
	}
	switch n.State {
	case Open, Acknowledged:
		a.EndsAt = t.now.Add(staysFor).UTC().Format(time.RFC3339)
	case Resolved:
		a.EndsAt = t.now.UTC().Format(time.RFC3339)
	}
	for _, f := range facts(n) {
		a.Annotations[labelName(f.Name)] = f.Value
	}
	if len(n.Commands) > 0 {
		a.Annotations["commands"] = commandText(n)
	}
	for _, l := range n.Links {
		if l.Verb == "" {
			a.Generator = l.URL
		} else {
			a.Annotations[l.Verb+"_url"] = l.URL
		}
	}
	r, err := asJSON(strings.TrimSuffix(t.url, "/")+"/api/v2/alerts", []postableAlert{a})
	if t.secret != "" {
		r.header = http.Header{"Content-Type": jsonHeader["Content-Type"], "Authorization": {"Bearer " + t.secret}}
	}
	return r, err
}

// labelName makes a Prometheus label name of a fact's.
func labelName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}
