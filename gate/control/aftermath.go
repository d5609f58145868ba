package control

import "serin/gate"

// aftermath keeps showing why a rollout was rolled back, for as long as it is: the decision's reason, gates and numbers. The
// brain itself has nothing to judge any more.
func (r *rollout) aftermath(out *RolloutStatus) {
	last := r.last
	if r.state.Phase != gate.RolledBack || r.decision.Action == gate.ActRollback || last == nil || last.Decision.Action != gate.ActRollback ||
		gate.EbbLeft(r.state, r.policy) > 0 {
		return
	}
	out.Reason, out.Sentence = last.Decision.Reason, gate.Aftermath(r.state, &last.Decision, last.At.Local())
	if len(out.Gates) == 0 {
		out.Gates = last.Decision.Findings
	}
}
