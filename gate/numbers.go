package gate

import "fmt"

// Numbers is a finding on one line, for a notice: both arms with their samples, and the answer. The limits are Finding.Rule.
func Numbers(f *Finding) string {
	if f.Outside() {
		return outsideText(f) + ": " + f.Verdict.String()
	}
	text := fmt.Sprintf("canary %s (%s of %s), stable %s (%s of %s)", percent(f.Canary), grouped(f.Samples.CanaryBad), grouped(f.Samples.Canary),
		percent(f.Stable), grouped(f.Samples.StableBad), grouped(f.Samples.Stable))
	if f.Scale == scaleRatio {
		canary := milliseconds(f.Canary)
		if f.Unanswered {
			canary = "beyond its clients' patience"
		}
		text = fmt.Sprintf("canary %s (%s timed), stable %s (%s timed)", canary, grouped(f.Samples.Canary), milliseconds(f.Stable), grouped(f.Samples.Stable))
	}
	if f.Samples.Canary == 0 {
		text = "no canary request yet"
	}
	text += lately(f)
	switch {
	case f.Verdict == Pass:
		return text + ": pass"
	case f.Reason == "":
		return text + ": " + f.Verdict.String()
	}
	return text + ": " + f.Verdict.String() + ", " + f.Reason.Text()
}
