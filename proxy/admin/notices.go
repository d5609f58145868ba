package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"serin/gate/notify"
)

// Notices is the room that tells people: *notify.Queue. Its methods are safe for concurrent use and, Test aside, wait for
// nobody.
type Notices interface {
	Sinks() []notify.Sink
	Open(rollout string) (notify.Alert, bool)
	Ack(rollout, actor string) (n notify.Notice, before string, ok bool)
	Test(ctx context.Context, name string, n notify.Notice) error
}

// Sinks is the answer of GET /v1/notify.
type Sinks struct {
	Sinks []Sink `json:"sinks"`
}

// Sink is one receiver of notices. Counters go up for as long as the outbox in state.dir lives.
type Sink struct {
	Name          string     `json:"name"`
	Kind          string     `json:"kind"`
	Events        []string   `json:"events"`
	RepeatSeconds float64    `json:"repeat_seconds"` // 0: once
	Waiting       int        `json:"waiting"`        // not sent yet
	Resting       bool       `json:"resting"`        // failed too often in a row: tried rarely
	Sent          uint64     `json:"sent"`
	Failed        uint64     `json:"failed"` // tries that were or will be made again
	Refused       uint64     `json:"refused"`
	Expired       uint64     `json:"expired"`
	Dropped       uint64     `json:"dropped"`
	LastError     *string    `json:"last_error"`
	LastSentAt    *time.Time `json:"last_sent_at"`
}

// Acknowledged is the answer of POST /v1/rollouts/{name}/ack.
type Acknowledged struct {
	Rollout string `json:"rollout"`
	Event   string `json:"event"`
	Actor   string `json:"actor"`
	Before  string `json:"before,omitempty"` // who had acknowledged it already
}

func (s *Server) listSinks(w http.ResponseWriter, _ *http.Request) {
	list := []Sink{}
	if s.o.Notices != nil {
		for _, k := range s.o.Notices.Sinks() {
			one := Sink{
				Name: k.Name, Kind: k.Kind, Events: append([]string{}, k.Events...), RepeatSeconds: k.Repeat.Seconds(), Waiting: k.Waiting, Resting: k.Resting,
				Sent: k.Counts.Sent, Failed: k.Counts.Failed, Refused: k.Counts.Refused, Expired: k.Counts.Expired, Dropped: k.Counts.Dropped,
				LastSentAt: timeOf(k.LastSent),
			}
			if k.LastError != "" {
				one.LastError = &k.LastError
			}
			list = append(list, one)
		}
	}
	answer(w, http.StatusOK, Sinks{Sinks: list})
}

// acknowledge ends the repeats of what is open of a rollout.
func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	a, ok := readAct(w, r, "ack")
	if !ok {
		return
	}
	if _, known := s.status().Rollout(name); !known {
		s.unknown(w, name)
		return
	}
	actor := s.actor(r, a.Actor)
	if s.o.Notices != nil {
		if n, before, ok := s.o.Notices.Ack(name, actor); ok {
			s.log.Info("alert acknowledged", "rollout", name, "event", n.Event, "actor", actor, "before", before)
			answer(w, http.StatusOK, Acknowledged{Rollout: name, Event: n.Event, Actor: actor, Before: before})
			return
		}
	}
	fail(w, http.StatusConflict, "nothing of "+name+" waits for an acknowledgement", "an alert is open from a hold, a rollback or a request for approval until it is over")
}

// testSink sends a sample to a sink, at once.
func (s *Server) testSink(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var none struct{}
	if !decode(w, r, &none) {
		return
	}
	err := notify.ErrUnknownSink
	if s.o.Notices != nil {
		err = s.o.Notices.Test(r.Context(), name, sampleNotice())
	}
	switch {
	case errors.Is(err, notify.ErrUnknownSink):
		var names []string
		if s.o.Notices != nil {
			for _, k := range s.o.Notices.Sinks() {
				names = append(names, k.Name)
			}
		}
		hint := "the configuration has no [notify.NAME]"
		if len(names) > 0 {
			hint = "they are " + strings.Join(names, ", ")
		}
		fail(w, http.StatusNotFound, "no notify "+quoted(name), hint)
	case err != nil:
		fail(w, http.StatusBadGateway, name+" did not take the sample: "+err.Error(), "[notify."+name+"] says where it goes")
	default:
		answer(w, http.StatusOK, map[string]string{"sink": name, "status": "sent"})
	}
}

// sampleNotice is a message in its usual form that says that it is none.
func sampleNotice() notify.Notice {
	now := time.Now().UTC()
	return notify.Notice{
		ID: "sample-" + strconv.FormatInt(now.UnixNano(), 36), Event: notify.EventHold, State: notify.Done, Severity: notify.Info, Sample: true, At: now,
		Rollout: "example", Revision: "sample", Attempt: 1, Phase: "holding", Action: "hold", Actor: "gate",
		Sentence: "This is a sample: no rollout has changed. A real message has both arms' numbers here.",
		Next:     "Nothing, it came from: serin notify test.", Stage: notify.Stage{Index: 1, Count: 4, Label: "5 %"}, From: .05, To: .05,
	}
}

// writeNotices are the counters of what was told.
func writeNotices(e *exposition, sinks []notify.Sink) {
	e.family("serin_notifications_total", "counter",
		"Notices by sink and result: sent; retried: a try that failed and is made again; refused, expired and dropped are lost.")
	for _, k := range sinks {
		for _, c := range []struct {
			result string
			n      uint64
		}{{"sent", k.Counts.Sent}, {"retried", k.Counts.Failed}, {"refused", k.Counts.Refused}, {"expired", k.Counts.Expired}, {"dropped", k.Counts.Dropped}} {
			e.sample("serin_notifications_total", float64(c.n), "sink", k.Name, "kind", k.Kind, "result", c.result)
		}
	}
	e.family("serin_notifications_pending", "gauge", "Notices not sent yet.")
	for _, k := range sinks {
		e.sample("serin_notifications_pending", float64(k.Waiting), "sink", k.Name)
	}
}
