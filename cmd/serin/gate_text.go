package main

import (
	"fmt"

	"serin/gate"
	"serin/proxy/admin"
)

// weighs reports whether a gate weighs evidence: the plain judge, a source outside and a gate that has seen nothing have
// no odds to show.
func weighs(g admin.Gate) bool { return g.PassNeeds > 0 }

// beyondHold reports whether a gate's estimate is on the wrong side of its hold limit.
func beyondHold(g admin.Gate) bool {
	if g.Lower && g.Absolute {
		return g.Difference < g.HoldLimit
	}
	return g.Difference > g.HoldLimit
}

// sides are the words for the right and the wrong side of a limit.
func sides(g admin.Gate) (right, rightSign, wrongSign string) {
	if g.Lower && g.Absolute {
		return "above", ">", "<="
	}
	return "below", "<", ">="
}

// limitText is what a gate without odds has to keep to.
func limitText(g admin.Gate) []string {
	if g.Samples.Canary == 0 {
		return nil
	}
	_, at := quantityOf(g)
	_, _, wrong := sides(g)
	most := "most"
	if g.Lower && g.Absolute {
		most = "least"
	}
	body := []string{fmt.Sprintf("must show at %s %s", most, at(g.HoldLimit))}
	if g.RollbackLimit != nil {
		body = append(body, fmt.Sprintf("rolls back at %s %s", wrong, at(*g.RollbackLimit)))
	}
	return body
}

// canaryLatency is a canary's latency, or that there is none.
func canaryLatency(g admin.Gate) string {
	if g.Unanswered {
		return "beyond its clients' patience"
	}
	return millis(g.Canary)
}

// asides are the holds whose reason is in no number of the gate's; "" for the others.
func asides(g admin.Gate) string {
	switch {
	case g.Outside():
		return gate.Numbers(&g)
	case g.LeftOut:
		return "with the users who were left out before the release, the canary is worse than it may be"
	}
	return ""
}

// numbered is a count with its noun: "1 request", "5,012 requests".
func numbered(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}
