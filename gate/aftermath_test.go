package gate

import (
	"testing"
	"time"
)

func TestAftermath_SaysWhyAndWhen(t *testing.T) {
	at, limit := time.Date(2026, 11, 20, 13, 34, 6, 0, time.UTC), .02
	bad := Finding{Metric: "error_rate", Scale: scalePoints, Verdict: Fail, Stable: .01, Canary: .041, HoldLimit: .005, RollbackLimit: &limit}
	for _, c := range []struct {
		name string
		last Decision
		want string
	}{
		{"by a gate", Decision{Action: ActRollback, Actor: ActorGate, Reason: WorseThanStable, Findings: []Finding{bad}},
			"Everybody is on stable. Revision 7.4.0 was rolled back at 13:34:06: the canary's error rate is 4.1 % against 1 % of stable (rollback limit + 2 points)."},
		{"by a person", Decision{Action: ActRollback, Actor: "ann", Reason: Manual, Note: "wrong prices"},
			"Everybody is on stable. Revision 7.4.0 was rolled back at 13:34:06 by ann (wrong prices)."},
		{"for a dead pool", Decision{Action: ActRollback, Actor: ActorGate, Reason: CanaryPoolUnhealthy},
			"Everybody is on stable. Revision 7.4.0 was rolled back at 13:34:06: nobody could reach the canary, while stable answered."},
		{"for a hold that lasted", Decision{Action: ActRollback, Actor: ActorGate, Reason: HoldTimedOut},
			"Everybody is on stable. Revision 7.4.0 was rolled back at 13:34:06: the hold lasted too long."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Aftermath(State{Revision: "7.4.0"}, &c.last, at); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
