package notify

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reminded makes a queue with one sink that repeats every half hour, and one that keeps alerts of its own.
func reminded(t *testing.T) (*Queue, *receiver, *receiver) {
	t.Helper()
	chat, pager := newReceiver(t, nil), newReceiver(t, nil)
	q := New(Options{Transport: transport(map[string]*receiver{"chat": chat, "pager": pager})})
	c := spec("chat")
	c.Repeat = 30 * time.Minute
	p := spec("pager")
	p.Kind, p.Secret, p.URL = "pagerduty", fixed("key"), fixed("http://pager/v2/enqueue")
	q.Set([]Spec{c, p})
	start(t, q)
	return q, chat, pager
}

// tell hands a sample to both sinks.
func tell(q *Queue, name string, change func(*Notice)) {
	n := *samples()[name]
	if change != nil {
		change(&n)
	}
	q.Tell(n, []string{"chat", "pager"})
}

func TestAlert_NobodyAnswers_IsToldAgainUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, chat, pager := reminded(t)
		tell(q, "hold", nil)
		time.Sleep(95 * time.Minute)
		if n := chat.count(); n != 4 {
			t.Errorf("told %d times in 95 minutes, want once and three times again", n)
		}
		if n := pager.count(); n != 1 {
			t.Errorf("a sink without repeat was told %d times", n)
		}
		if !strings.Contains(chat.body(3), `"repeat":3`) || !strings.Contains(chat.body(3), `"alert":"checkout-1-4"`) {
			t.Errorf("the last reminder is %s", chat.body(3))
		}
		tell(q, "rollback", func(n *Notice) { n.State = Done })
		time.Sleep(2 * time.Hour)
		if n := chat.count(); n != 5 {
			t.Errorf("told %d times, want the rollback and nothing after it", n)
		}
		if pager.count() != 3 || !strings.Contains(pager.body(1), `"event_action":"resolve","dedup_key":"serin/checkout-1-4"`) {
			t.Errorf("the pager got %q", pager.bodies())
		}
	})
}

func TestAlert_Acknowledged_IsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, chat, pager := reminded(t)
		if _, _, ok := q.Ack("checkout", "alice"); ok {
			t.Error("nothing was open")
		}
		tell(q, "approval", nil)
		time.Sleep(31 * time.Minute)
		n, before, ok := q.Ack("checkout", "alice")
		if !ok || before != "" || n.Event != EventApproval {
			t.Errorf("got %s, %q, %v", n.Event, before, ok)
		}
		if _, before, _ := q.Ack("checkout", "bob"); before != "alice" {
			t.Errorf("acknowledged before by %q", before)
		}
		time.Sleep(3 * time.Hour)
		if n := chat.count(); n != 2 {
			t.Errorf("told %d times", n)
		}
		if pager.count() != 2 || !strings.Contains(pager.body(1), `"event_action":"acknowledge"`) {
			t.Errorf("the pager got %q", pager.bodies())
		}
		// The same wait in other words: whoever looked has not seen these.
		tell(q, "approval", func(n *Notice) { n.ID = "checkout-1-8" })
		time.Sleep(31 * time.Minute)
		if n := chat.count(); n != 4 {
			t.Errorf("told %d times", n)
		}
		if !strings.Contains(pager.body(2), `"dedup_key":"serin/checkout-1-6"`) {
			t.Errorf("another incident for the same wait: %s", pager.body(2))
		}
	})
}

func TestAlert_OtherDecisionsOfTheSamePhase_LeaveItOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _, _ := reminded(t)
		tell(q, "hold", nil)
		tell(q, "complete", func(n *Notice) { n.Phase, n.Event, n.ID = "holding", EventRevision, "checkout-1-5" })
		if _, ok := q.Open("checkout"); !ok {
			t.Error("a replan within the hold ended it")
		}
		q.Forget([]string{"other"})
		if _, ok := q.Open("checkout"); ok {
			t.Error("a rollout that the file has no more is still open")
		}
	})
}

func TestAlert_ReceiverDown_RemindersDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, chat, _ := reminded(t)
		chat.become(status(500))
		tell(q, "hold", nil)
		time.Sleep(12 * time.Hour)
		if s := sinkNow(t, q, "chat"); s.Waiting != 1 {
			t.Errorf("%d notices wait for a receiver that is down", s.Waiting)
		}
	})
}

func TestAlert_SameNoticeAgainAfterARestart_KeepsItsAcknowledgement(t *testing.T) {
	q := New(Options{})
	q.Set([]Spec{spec("chat")})
	q.Tell(*samples()["hold"], []string{"chat"})
	q.Ack("checkout", "alice")
	q.Tell(*samples()["hold"], []string{"chat"})
	if a, _ := q.Open("checkout"); a.Acked != "alice" || sinkNow(t, q, "chat").Waiting != 1 {
		t.Errorf("got %+v, %d wait", a, sinkNow(t, q, "chat").Waiting)
	}
}
