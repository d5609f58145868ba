package config

import (
	"fmt"
	"slices"
	"strings"

	"serin/router"
)

// TokenTable is [token.NAME].
type TokenTable struct {
	Secret SecretRef `key:"secret" required:"true" doc:"The token itself, at least 16 bytes: { file = \"PATH\" }, { env = \"NAME\" } or { credential = \"NAME\" }. A file is read again when it changes; while it is gone or empty the token is refused. Only its hash is kept."`
	May    []Right   `key:"may" required:"true" doc:"What it may do: the verbs start, pause, resume, promote, step-back, rollback, approve, retry and ack; read (every GET), signals, drill, reload; admin is everything. \"advance<=25%\" allows promote and approve up to that weight, and is the ceiling of start and retry."`
	Owns   []Text    `key:"owns" doc:"Owners of stages it may answer for. Default: none; admin may let every stage begin, with a reason."`
}

// Right is one word of a token's may.
type Right struct {
	Word    string        // a verb, or read, admin, signals, drill, reload, advance
	Ceiling router.Weight // of advance
}

// rightWords are the words of may, beside advance<=N%.
var rightWords = []string{
	"read", "admin", "signals", "drill", "reload", "ack",
	"start", "pause", "resume", "promote", "step-back", "rollback", "approve", "retry",
}

func (r *Right) decode(raw any) error {
	const want = `a verb, "read", "admin", "signals", "drill", "reload" or "advance<=25%"`
	text, ok := raw.(string)
	if !ok {
		return wanted(want, raw)
	}
	if share, advance := strings.CutPrefix(text, "advance<="); advance {
		w, ok := parseWeight(share)
		if !ok || w == 0 {
			return wanted(`"advance<=N%" with a share in steps of 0.01%, such as "advance<=25%"`, raw)
		}
		*r = Right{Word: "advance", Ceiling: w}
		return nil
	}
	if !slices.Contains(rightWords, text) {
		err := wanted(want, raw)
		if near := Suggest(text, slices.Values(rightWords)); near != "" {
			err = fmt.Errorf("%w (%s)", err, didYouMean(near))
		}
		return err
	}
	*r = Right{Word: text}
	return nil
}

func (r Right) literal() string {
	if r.Word == "advance" {
		return quote("advance<=" + strings.ReplaceAll(r.Ceiling.String(), " ", ""))
	}
	return quote(r.Word)
}
func (Right) unit() string    { return "right" }
func (Right) pattern() string { return `^(advance<=\d+(\.\d+)?%|[a-z-]+)$` }
