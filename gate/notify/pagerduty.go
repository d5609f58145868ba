package notify

import (
	"strings"
	"time"
)

// PagerDuty's Events API v2 (developer.pagerduty.com, "Send an alert event" and "Send a change event"): dedup_key 255
// characters, summary 1024, severity critical|error|warning|info, 512 KB.
const (
	pagerDutyEvents  = "https://events.pagerduty.com/v2/enqueue"
	pagerDutySummary = 1024
	pagerDutyKey     = 255
)

type pagerDutyEvent struct {
	RoutingKey string           `json:"routing_key"`
	Action     string           `json:"event_action,omitempty"` // trigger | acknowledge | resolve; none: a change event
	DedupKey   string           `json:"dedup_key,omitempty"`
	Client     string           `json:"client,omitempty"`
	Payload    pagerDutyPayload `json:"payload"`
	Links      []pagerDutyLink  `json:"links,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity,omitempty"`
	Timestamp string  `json:"timestamp"`
	Component string  `json:"component,omitempty"`
	Class     string  `json:"class,omitempty"`
	Details   details `json:"custom_details"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// details are the facts by name, in JSON that a person reads in a pager.
type details map[string]string

// pagerDuty triggers and resolves incidents for what is open, and reports everything else as a change event: a completed
// release wakes nobody.
func pagerDuty(n *Notice, t terms) (request, error) {
	e := pagerDutyEvent{
		RoutingKey: t.secret,
		Payload: pagerDutyPayload{
			Summary: limit(headline(n)+": "+n.Sentence, pagerDutySummary), Source: t.source, Timestamp: n.At.UTC().Format(time.RFC3339),
			Details: detailsOf(n),
		},
	}
	for _, l := range n.Links {
		e.Links = append(e.Links, pagerDutyLink{l.URL, l.Label})
	}
	url := t.url
	if url == "" {
		url = pagerDutyEvents
	}
	if n.State == Done {
		return asJSON(strings.TrimSuffix(url, "/v2/enqueue")+"/v2/change/enqueue", e)
	}
	e.Action = map[string]string{Open: "trigger", Acknowledged: "acknowledge", Resolved: "resolve"}[n.State]
	e.DedupKey, e.Client = limit("serin/"+n.Alert, pagerDutyKey), "serin"
	e.Payload.Severity, e.Payload.Component, e.Payload.Class = n.Severity, n.Rollout, n.Event
	return asJSON(url, e)
}

func detailsOf(n *Notice) details {
	d := details{"sentence": n.Sentence, "revision": n.Revision}
	if n.Next != "" {
		d["next"] = n.Next
	}
	for _, f := range facts(n) {
		d[f.Name] = f.Value
	}
	if len(n.Commands) > 0 {
		d["commands"] = commandText(n)
	}
	return d
}
