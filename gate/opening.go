package gate

import "time"

// opening is when the window opens next, for people: ", at about 09:00 on Mon 23 Nov".
func opening(p *Policy, now time.Time) string {
	open, until := p.Window.Open(now)
	if open || until.IsZero() {
		return ""
	}
	return ", at about " + clock(until.In(now.Location()), now)
}

// clockSeconds is a moment of the next minute or so.
func clockSeconds(at time.Time) string { return at.Format(time.TimeOnly) }
