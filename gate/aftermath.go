package gate

import (
	"fmt"
	"time"
)

// Aftermath says how a revision that was rolled back came to be: what a person who comes later wants to read first. last is
// the decision, at its wall time.
func Aftermath(s State, last *Decision, at time.Time) string {
	text := fmt.Sprintf("Everybody is on stable. Revision %s was rolled back at %s%s", s.Revision, at.Format(time.TimeOnly), by(last))
	switch f := leading(last, Fail); {
	case last.Reason == Manual:
		return text + noted(last) + "."
	case last.Reason == CanaryPoolUnhealthy:
		return text + ": nobody could reach the canary, while stable answered."
	case f != nil:
		return text + ": " + comparison(f) + "."
	}
	return text + ": " + last.Reason.Text() + "."
}
