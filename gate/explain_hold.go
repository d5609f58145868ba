package gate

import (
	"fmt"
	"strings"
)

// reasonTexts are the codes in a few words, for lists and badges.
var reasonTexts = map[Reason]string{
	Collecting:           "collecting evidence",
	NotEnoughEvidence:    "not enough evidence yet",
	EstimateAboveHold:    "above the hold limit, perhaps by chance",
	WorseThanStable:      "the canary is worse than stable",
	StableUnhealthy:      "stable itself is failing",
	NoCanaryTraffic:      "no traffic on the canary",
	NoStableTraffic:      "no traffic on stable",
	Warmup:               "the canary is warming up",
	OneBucketDominates:   "one user bucket has most of the errors",
	SaturatedUsers:       "the same few users make all requests",
	CanaryPoolUnhealthy:  "the canary's pool is not healthy",
	WindowClosed:         "the window for widening is closed",
	SkewedKeys:           "the key does not part the users",
	StableOutdated:       "the configuration names a replaced version as stable",
	AwaitingApprovalCode: "waiting for approval",
	PausedCode:           "paused by a person",
	JournalUnavailable:   "the journal cannot be written",
	StaleReplicas:        "too few replicas report",
	RestartReplayed:      "restored after a restart",
	Manual:               "waiting for a person, or done by one",
	DrillRequired:        "a drill must pass first",
	OutsideUnknown:       "an outside source does not answer",
	CapacityReached:      "the canary's pool carries no more",
	Passed:               "every gate passed",
	HoldTimedOut:         "the hold lasted too long",
	ApprovalTimedOut:     "nobody approved in time",
	Sparse:               "too little traffic",
	NewRevision:          "a new revision",
	PolicyChanged:        "the configuration changed",
	Started:              "the canary's pool is healthy",
	TimeOver:             "its time is over",
	Removed:              "removed from the configuration",
}

// Text is the reason in a few words; the code itself where it is none of ours, "" for none.
func (r Reason) Text() string {
	if text, ok := reasonTexts[r]; ok {
		return text
	}
	return string(r)
}

// holdSentence says why nothing moves.
func holdSentence(s State, p *Policy, d *Decision) string {
	switch d.Phase {
	case Waiting:
		return waitingSentence(s, p, d)
	case Completed:
		return fmt.Sprintf("Completed: everybody is on revision %s.", s.Revision)
	case RolledBack:
		if rest := EbbLeft(s, p); rest > 0 {
			return fmt.Sprintf("Rolling back: %s of the users are still on the canary, and everybody is on stable in %s.", s.Ebb.Weight, Left(rest))
		}
		return fmt.Sprintf("Rolled back: everybody is on stable; revision %s stays off until a retry or a new revision.", s.Revision)
	case Paused:
		if s.Frozen {
			return fmt.Sprintf("Paused at %s with everything else (serin pause --all).", place(s, p))
		}
		return fmt.Sprintf("Paused at %s.", place(s, p))
	case AwaitingApproval:
		return awaitSentence(s, p)
	case Holding:
		return fmt.Sprintf("On hold at %s: %s.", place(s, p), detained(s, p, d))
	case Progressing:
	}
	return fmt.Sprintf("Holding at %s: %s.", place(s, p), holdText(s, p, d))
}

func waitingSentence(s State, p *Policy, d *Decision) string {
	switch d.Reason {
	case "":
		return "Waiting for the first look at it."
	case Manual:
		if !p.ManualStart || s.Begun {
			return "Waiting for the next look at it."
		}
		return "Waiting for a person to start it."
	case StableOutdated:
		return fmt.Sprintf("Waiting: the configuration still names as stable the version that %s has replaced; make %s the stable upstream.", s.Live, s.Live)
	case Removed:
		return "Withdrawn: the configuration has this rollout no more."
	case WindowClosed:
		return "Waiting: the window for widening is closed."
	case CapacityReached:
		if d.Load < 0 {
			return "Waiting: " + capacityText(s, p, d) + "."
		}
		return fmt.Sprintf("Waiting: %s of this traffic is more than the %s requests/s that the canary's pool carries.",
			stageName(p, nextStage(&s, p)), decimals(p.Capacity, 1))
	case DrillRequired:
		return fmt.Sprintf("Waiting: a drill of revision %s must have passed within %s before it begins: serin drill %s.", s.Revision, Span(p.DrillAge), p.Rollout)
	case JournalUnavailable:
		return "Waiting: the journal cannot be written, and without it nothing starts."
	case CanaryPoolUnhealthy:
		return "Waiting: the canary's pool has no healthy server."
	}
	return "Waiting: " + d.Reason.Text() + "."
}

// stageNow names the stage that s is in, by the share that is: sparse = "widen" goes beyond the stage's own, a holdback and a
// ladder that was changed in flight stay below it.
func stageNow(s State, p *Policy) string {
	if st := p.stage(s.Stage); s.Weight > 0 && (st.Label == "" || st.Label == st.Weight.String()) {
		return s.Weight.String()
	}
	return stageName(p, s.Stage)
}

// detained says why a rollout is in Holding, and that a person is asked where one is.
func detained(s State, p *Policy, d *Decision) string {
	text := holdText(s, p, d)
	switch s.Cause {
	case CauseFinding:
		if len(d.Findings) > 0 && holder(d) == nil {
			text = "the canary was found worse than its limits allow; what has been seen since does not confirm it"
		}
		if s.Asked {
			text += "; the hold has lasted too long, a person decides"
		}
	case CauseFailed:
		text += "; it must not be reverted, a person decides"
	case CauseSparse:
		text += fmt.Sprintf("; %s has had its %s, a person decides", stageNow(s, p), passed(s.Clock))
	case CauseApproval:
		return fmt.Sprintf("nobody approved %s in time", stageName(p, nextStage(&s, p)))
	case CauseSkewed:
	}
	return text
}

// holdText is the reason of a hold with its numbers.
func holdText(s State, p *Policy, d *Decision) string {
	f := holder(d)
	switch d.Reason {
	case Collecting:
		return collectingText(s, p, f)
	case StableUnhealthy:
		if d.Raised {
			return fmt.Sprintf("stable itself is failing, and the canary was widened to %s less than a minute ago: it may be hurting "+
				"something both share", s.Weight)
		}
		return "stable itself is failing, so nothing widens until it recovers"
	case NoCanaryTraffic:
		return "the canary has answered no request of this stage that counts"
	case NoStableTraffic:
		return "stable has no traffic to compare with"
	case Warmup:
		return fmt.Sprintf("the canary is warming up; its latency counts from %s after its first answer", Span(p.Warmup))
	case SaturatedUsers:
		return "the same few users make all the requests: more time brings no more evidence, more users would"
	case CanaryPoolUnhealthy:
		return "the canary's pool has no healthy server, so the stage's clock stands"
	case WindowClosed:
		return "the gates agree, but the window for widening is closed"
	case CapacityReached:
		return capacityText(s, p, d)
	case SkewedKeys:
		return "a few keys carry most of the requests, so shares of users mean nothing; mend the key"
	case JournalUnavailable:
		return "the gates agree, but the journal cannot be written, and without it nothing widens"
	case RestartReplayed:
		return "restored after a restart; the next look decides"
	}
	if f != nil && f.Outside() {
		return f.Metric + ": " + outsideText(f)
	}
	if f != nil {
		return findingText(f)
	}
	return d.Reason.Text()
}

// holder is the finding that a hold's reason comes from; nil where it comes from elsewhere.
func holder(d *Decision) *Finding {
	for i := range d.Findings {
		if f := &d.Findings[i]; !f.DryRun && f.Verdict != Pass && f.Reason == d.Reason {
			return f
		}
	}
	return nil
}

func collectingText(s State, p *Policy, f *Finding) string {
	least := p.stage(s.Stage).Least
	if s.Clock < least {
		return fmt.Sprintf("%s of at least %s so far", passed(s.Clock), Span(least))
	}
	if f != nil {
		return fmt.Sprintf("%s too few to judge", manyAre(f.Samples.Canary, "canary request"))
	}
	return "collecting evidence"
}

// findingText is one gate's hold with its numbers.
func findingText(f *Finding) string {
	switch f.Reason {
	case NotEnoughEvidence:
		return fmt.Sprintf("%s not yet enough to rule out %s", manyAre(f.Samples.Canary, "canary request"), harm(f))
	case EstimateAboveHold:
		if f.LeftOut {
			return fmt.Sprintf("with the users who were left out for their %s before the release, the canary is worse than it may be: "+
				"no evidence against it, and nothing to widen on", nouns(f.Metric))
		}
		if f.Confirmed { // the plain judge asks for no evidence
			return comparison(f)
		}
		return comparison(f) + ", but that may be chance"
	case WorseThanStable:
		if f.PassNeeds == 0 {
			return comparison(f)
		}
		return comparison(f) + ", which chance does not explain"
	case OneBucketDominates:
		return fmt.Sprintf("one bucket of users has %s of the canary's %s; a person should look at it", percent(f.WorstShare), nouns(f.Metric))
	}
	return strings.TrimSuffix(f.Reason.Text(), ".")
}

// harm is what a pass must rule out.
func harm(f *Finding) string {
	switch {
	case f.Scale == scaleRatio && f.Absolute:
		return fmt.Sprintf("a %s beyond the limit", quantity(f))
	case f.Scale == scaleRatio:
		return fmt.Sprintf("a %s %s times as long", quantity(f), decimals(f.PassLimit, 2))
	case f.Absolute && f.Lower:
		return fmt.Sprintf("less than %s %s", percent(f.PassLimit), nouns(f.Metric))
	case f.Absolute:
		return fmt.Sprintf("%s %s", percent(f.PassLimit), nouns(f.Metric))
	case f.Lower:
		return fmt.Sprintf("%s less %s", points(f.PassLimit), nouns(f.Metric))
	}
	return fmt.Sprintf("%s more %s", points(f.PassLimit), nouns(f.Metric))
}
