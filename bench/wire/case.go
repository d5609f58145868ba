package main

import (
	"fmt"
	"regexp"
)

// profile is a configuration that a case needs of the proxy.
type profile uint8

const (
	usual   profile = iota // waits longer than any case, peers not trusted
	brief                  // waits of briefWait, request bodies up to briefBody
	trusted                // usual, and 127.0.0.1 is a trusted proxy
	choosy                 // example.test only, no path of two readings, no underscores, choosyRequests a connection, choosyClients of an address
	named                  // adds itself to Via as viaName, underscores are dropped
)

func (p profile) String() string {
	return [...]string{"usual", "brief", "trusted", "choosy", "named"}[p]
}

// Case is one exchange, or a few that belong together.
type Case struct {
	Group  *group
	Name   string
	Why    string  // what asks for the outcome, if not the group's Why
	With   profile //
	Beyond bool    // serin's promise, asked for by no RFC: not in the score
	Play   play
}

// play is what happens in a case: a probe or a script.
type play interface {
	// run plays it on the stage and says what went wrong.
	run(s *stage) error
}

// group is the cases of one duty, or of one family of attacks on it.
type group struct {
	Duty  int // of the checklist, 1 to 54
	Title string
	Why   string
	Cases []Case
}

func (c Case) String() string { return fmt.Sprintf("%02d %s/%s", c.Group.Duty, c.Group.Title, c.Name) }

// reason is the Why of the case or of its group.
func (c Case) reason() string {
	if c.Why != "" {
		return c.Why
	}
	return c.Group.Why
}

// suite is every group, by duty.
func suite() []*group {
	var all []*group
	for _, groups := range [][]*group{
		lengthGroups(), codingGroups(), fieldGroups(), hostGroups(), targetGroups(), versionGroups(), hopGroups(),
		methodGroups(), interimGroups(), bodilessGroups(), surplusGroups(), responseGroups(), truncationGroups(),
		trailerGroups(), chunkGroups(), limitGroups(), faithGroups(), upgradeGroups(), pipelineGroups(), retryGroups(),
		forwardingGroups(), earlyGroups(), timeoutGroups(), optionGroups(),
	} {
		for _, g := range groups {
			for i := range g.Cases {
				g.Cases[i].Group = g
			}
			all = append(all, g)
		}
	}
	return all
}

// selectCases is the cases of groups that match.
func selectCases(groups []*group, match *regexp.Regexp) []Case {
	var cases []Case
	for _, g := range groups {
		for _, c := range g.Cases {
			if match.MatchString(c.String()) {
				cases = append(cases, c)
			}
		}
	}
	return cases
}
