// Package admin is serin's other side: the JSON API, the event stream, Prometheus metrics and probes, on a listener of
// their own, and the client the command line uses.
//
//	GET  -> Loop.Status, Loop.Decisions, Traffic ... -> JSON          no GET has an effect
//	POST -> guard (Host, Origin, Sec-Fetch-Site, JSON) -> Loop.Operate -> the decision
//
// The API owns no state that matters: it shows what the control loop published and hands it what people want. A page in a
// browser that was lured to another site must not reach it, so the Host of every request is compared with an exact list
// and a write from another origin is refused (DNS rebinding, CSRF). Bodies are at most 1 MiB and unknown fields are
// errors, because a misspelt if_version would silently be no condition at all.
package admin

import "strings"

// InvalidError is a configuration that was refused; the running one stays.
type InvalidError struct{ Problems []Problem }

// Error lists the problems on one line, for the log.
func (e *InvalidError) Error() string {
	list := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		list[i] = p.String()
	}
	return "the configuration is invalid: " + strings.Join(list, "; ")
}
