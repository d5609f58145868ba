package config

// ExperimentTable is [experiment.NAME].
type ExperimentTable struct {
	Route     Text                 `key:"route" doc:"Name of the route whose users take part. Needed once the file has routes."`
	Audience  Text                 `key:"audience" doc:"Whom it is for, as in a rollout: shares are of its members, and everybody else is in none of the arms. Another audience is another experiment. Default: everybody."`
	Key       []Key                `key:"key" default:"header:X-User-Id, mint:serin_uid" doc:"Where a user's key is, as in a rollout. A request without any key goes to the control and is no evidence."`
	Salt      *Salt                `key:"salt" doc:"What makes this experiment's buckets its own. Default: the experiment's name."`
	Arms      map[string]*ArmTable `key:"arms" required:"true" doc:"The arms, two to sixteen; their weights add up to 100%. Other shares, upstreams or fields begin the experiment anew."`
	Control   Text                 `key:"control" doc:"The arm that the others are compared with, and that their users get when an arm is stopped. Default: the first in the file."`
	For       Duration             `key:"for" default:"7d" min:"1s" doc:"How long it runs; then everybody gets the control and the result stays."`
	Exclusive Text                 `key:"exclusive" doc:"A user is in at most one rollout or experiment of this group. All of them take the same key. Who is not in this one gets the control and is no evidence."`
	Expose    Flag                 `key:"expose" default:"false" doc:"Tell clients their arm in Serin-Arm."`
	Warmup    Duration             `key:"warmup" default:"0s" doc:"After the start, latency is no evidence for so long."`
	Errors    ErrorsTable          `key:"errors" doc:"How often a guardrail may be wrong over the whole experiment: false_rollback stops an arm that is no worse."`
	Notify    []Text               `key:"notify" doc:"Who is told when it begins, when an arm is stopped and when it is over: names of [notify.NAME]."`
	Gate      []GateTable          `key:"gate" doc:"Guardrails: an arm beyond a rollback limit is stopped. stable in a limit is the control. Nothing is ever promoted."`
}

// ArmTable is [experiment.NAME.arms.NAME].
type ArmTable struct {
	Upstream Text   `key:"upstream" required:"true" doc:"Where the arm's requests go. Arms may share one."`
	Weight   Weight `key:"weight" required:"true" min:"0.01%" doc:"The arm's share of the users, fixed."`
	Headers  Lines  `key:"headers" doc:"Fields sent upstream with the arm's requests. The clients' own fields of these names are removed."`
}
