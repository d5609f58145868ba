package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"serin/gate"
	"serin/gate/control"
)

const (
	maxReasonBytes = 1000
	maxActorBytes  = 100
)

// verbs are the acts of the API and the command line.
var verbs = map[string]gate.Verb{
	"start":     gate.VerbStart,
	"pause":     gate.VerbPause,
	"resume":    gate.VerbResume,
	"promote":   gate.VerbPromote,
	"step-back": gate.VerbStepBack,
	"rollback":  gate.VerbRollback,
	"approve":   gate.VerbApprove,
	"retry":     gate.VerbRetry,
}

// Verbs lists the acts, sorted.
func Verbs() []string { return slices.Sorted(maps.Keys(verbs)) }

func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	name, word := r.PathValue("name"), r.PathValue("verb")
	verb, ok := verbs[word]
	if !ok {
		hint := "the verbs are " + strings.Join(Verbs(), ", ")
		if near := nearest(word, Verbs()); near != "" {
			hint = "did you mean " + quoted(near) + "? " + hint
		}
		fail(w, http.StatusNotFound, "no verb "+quoted(word), hint)
		return
	}
	a, ok := readAct(w, r, word)
	if !ok {
		return
	}
	if s.o.Loop == nil {
		s.unknown(w, name)
		return
	}
	a.Actor = s.actor(r, a.Actor)
	p, ok := s.who(r)
	if !ok { // revoked meanwhile
		s.unknownSender(w, r)
		return
	}
	op := gate.Operator{Verb: verb, Actor: a.Actor, Reason: a.Reason, IfVersion: a.IfVersion, Full: a.Full, FromStage: a.FromStage, Rights: p.rights()}
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	d, entry, err := s.o.Loop.Operate(ctx, name, op)
	switch {
	case err != nil:
		s.failed(w, name, err)
	case d.Refusal != "":
		s.refuse(w, name, op, d.Refusal)
	default:
		answer(w, http.StatusOK, DecisionOf(entry))
	}
}

// readAct reads the body of a verb's request and answers what is wrong with it.
func readAct(w http.ResponseWriter, r *http.Request, verb string) (a Act, ok bool) {
	if !decode(w, r, &a) {
		return a, false
	}
	if problem, hint := a.check(verb); problem != "" {
		fail(w, http.StatusBadRequest, problem, hint)
		return a, false
	}
	return a, true
}

// check refuses fields that do not belong to the verb or would spoil the journal.
func (a Act) check(verb string) (problem, hint string) {
	switch {
	case a.Full && verb != "promote":
		return "full does not apply to " + verb, "it belongs to promote"
	case a.FromStage != 0 && verb != "retry":
		return "from_stage does not apply to " + verb, "it belongs to retry"
	case a.FromStage < 0:
		return "from_stage is negative", "stages count from 1"
	case len(a.Reason) > maxReasonBytes:
		return "the reason is longer than 1000 bytes", "keep it to a sentence or a link"
	case len(a.Actor) > maxActorBytes:
		return "the actor is longer than 100 bytes", "a name is enough"
	case a.Actor == gate.ActorGate || a.Actor == gate.ActorSerin:
		return "actor " + quoted(a.Actor) + " is what decides by itself", "give a person's or a program's name"
	case hasControl(a.Reason) || hasControl(a.Actor):
		return "reason and actor must not hold control characters", "one line of text"
	}
	return "", ""
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}

// failed answers an act the loop could not decide on.
func (s *Server) failed(w http.ResponseWriter, name string, err error) {
	switch {
	case errors.Is(err, control.ErrUnknownRollout):
		s.unknown(w, name)
	case errors.Is(err, control.ErrNoLadder):
		fail(w, http.StatusConflict, err.Error(), "/v1/experiments says how it stands")
	case errors.Is(err, control.ErrOvertaken):
		fail(w, http.StatusConflict, err.Error(), "look at the status, then repeat it if it still applies")
	case errors.Is(err, control.ErrJournalUnavailable):
		fail(w, http.StatusServiceUnavailable, err.Error(), "is the disk of state.dir full or read-only? a rollback works meanwhile")
	case errors.Is(err, control.ErrStopped):
		fail(w, http.StatusServiceUnavailable, err.Error(), "the daemon is shutting down")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		fail(w, http.StatusServiceUnavailable, "the control loop did not answer in time", "the act may still happen: look at the status before repeating it")
	default:
		s.log.Error("act failed", "rollout", name, "err", err)
		fail(w, http.StatusInternalServerError, err.Error(), "")
	}
}

// refuse answers an act that does not apply; nothing has changed.
func (s *Server) refuse(w http.ResponseWriter, name string, op gate.Operator, why gate.Refusal) {
	ro, _ := s.status().Rollout(name)
	now := "now it is possible to " + strings.Join(ro.Allowed, ", ")
	if len(ro.Allowed) == 0 {
		now = "nothing can be done now"
	}
	switch why {
	case gate.RefusedVersion:
		fail(w, http.StatusPreconditionFailed,
			fmt.Sprintf("%s is at version %d, not %d", name, ro.Version, *op.IfVersion), "something was decided meanwhile: look at the status")
	case gate.RefusedRole:
		fail(w, http.StatusForbidden, fmt.Sprintf("%s is not yours to %s now", name, op.Verb), "the stage belongs to another role")
	case gate.RefusedCeiling:
		fail(w, http.StatusForbidden, fmt.Sprintf("%s would take %s above the ceiling of %s", op.Verb, name, op.Rights.Ceiling), "advance<=N% of the token says how far it may go; somebody with more rights has to do this")
	case gate.RefusedReason:
		fail(w, http.StatusBadRequest, fmt.Sprintf("%s is an override here and needs a reason", op.Verb), "--reason TEXT, or reason in the body; it is kept in the journal")
	case gate.RefusedInput:
		fail(w, http.StatusBadRequest, fmt.Sprintf("%s: from_stage %d is out of range", name, op.FromStage), fmt.Sprintf("the ladder has %d stages", ro.Stage.Count))
	case gate.RefusedFreeze:
		fail(w, http.StatusConflict, fmt.Sprintf("%s does not apply: everything is paused", op.Verb), "serin resume --all ends that; a rollback works meanwhile")
	case gate.RefusedLoad:
		fail(w, http.StatusConflict, fmt.Sprintf("%s would ask more of the canary's pool than it carries", op.Verb), "upstream capacity says what it carries; the status says how much traffic there is")
	case gate.RefusedPhase:
		fail(w, http.StatusConflict, fmt.Sprintf("%s does not apply: %s is %s", op.Verb, name, strings.ReplaceAll(ro.Phase.String(), "_", " ")), now)
	default:
		fail(w, http.StatusConflict, fmt.Sprintf("%s was refused: %s", op.Verb, why), now)
	}
}
