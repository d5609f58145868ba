package gate

import (
	"fmt"
	"slices"
)

var (
	verdictTexts = []string{Hold: "hold", Pass: "pass", Fail: "fail"}
	phaseTexts   = []string{
		Waiting: "waiting", Progressing: "progressing", AwaitingApproval: "awaiting_approval", Holding: "holding",
		Paused: "paused", Completed: "completed", RolledBack: "rolled_back",
	}
	actionTexts = []string{
		ActHold: "hold", ActStart: "start", ActAdvance: "advance", ActComplete: "complete", ActRollback: "rollback",
		ActStepBack: "step_back", ActPause: "pause", ActResume: "resume", ActPromote: "promote", ActApprove: "approve",
		ActRetry: "retry", ActRestart: "restart", ActReplan: "replan", ActFreeze: "freeze", ActWithdrawn: "withdrawn",
		ActAwait: "await", ActRefuse: "refuse", ActWiden: "widen", ActDrill: "drill", ActStopArm: "stop_arm", ActEnd: "end",
	}
	verbTexts = []string{
		VerbStart: "start", VerbPause: "pause", VerbResume: "resume", VerbPromote: "promote", VerbStepBack: "step-back",
		VerbRollback: "rollback", VerbApprove: "approve", VerbRetry: "retry",
	}
)

// String is the word of file, API and page; "unknown" for what is none.
func (v Verdict) String() string { return textOf(verdictTexts, int(v)) }

// String is the word of file, API and page in snake_case; "unknown" for what is none.
func (p Phase) String() string { return textOf(phaseTexts, int(p)) }

// String is the word of file, API and page in snake_case; "unknown" for what is none.
func (a Action) String() string { return textOf(actionTexts, int(a)) }

// String is the verb as the command line spells it; "unknown" for what is none.
func (v Verb) String() string { return textOf(verbTexts, int(v)) }

// MarshalText writes the word; an unknown verdict is an error.
func (v Verdict) MarshalText() ([]byte, error) { return marshal("verdict", verdictTexts, int(v)) }

// MarshalText writes the word; an unknown phase is an error.
func (p Phase) MarshalText() ([]byte, error) { return marshal("phase", phaseTexts, int(p)) }

// MarshalText writes the word; an unknown action is an error.
func (a Action) MarshalText() ([]byte, error) { return marshal("action", actionTexts, int(a)) }

// MarshalText writes the verb; an unknown one is an error.
func (v Verb) MarshalText() ([]byte, error) { return marshal("verb", verbTexts, int(v)) }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	i, err := unmarshal("verdict", verdictTexts, text)
	*v = Verdict(i)
	return err
}

// UnmarshalText reads what MarshalText wrote.
func (p *Phase) UnmarshalText(text []byte) error {
	i, err := unmarshal("phase", phaseTexts, text)
	*p = Phase(i)
	return err
}

// UnmarshalText reads what MarshalText wrote.
func (a *Action) UnmarshalText(text []byte) error {
	i, err := unmarshal("action", actionTexts, text)
	*a = Action(i)
	return err
}

// UnmarshalText reads what MarshalText wrote.
func (v *Verb) UnmarshalText(text []byte) error {
	i, err := unmarshal("verb", verbTexts, text)
	*v = Verb(i)
	return err
}

const noText = "unknown"

// textOf is the i-th text; verbs have no text at 0.
func textOf(texts []string, i int) string {
	if i < 0 || i >= len(texts) || texts[i] == "" {
		return noText
	}
	return texts[i]
}

func marshal(what string, texts []string, i int) ([]byte, error) {
	if i < 0 || i >= len(texts) || texts[i] == "" {
		return nil, fmt.Errorf("write %s: no %s has number %d", what, what, i)
	}
	return []byte(texts[i]), nil
}

// unmarshal answers 0, the safe value of every type, beside its error.
func unmarshal(what string, texts []string, text []byte) (int, error) {
	if i := slices.Index(texts, string(text)); i >= 0 && len(text) > 0 {
		return i, nil
	}
	return 0, fmt.Errorf("read %s: no %s is called %q", what, what, text)
}
