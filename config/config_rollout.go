package config

// RolloutTable is [rollout.NAME].
type RolloutTable struct {
	Route         Text          `key:"route" doc:"Name of the route whose requests are split. Needed once the file has routes; without routes the only rollout takes every request."`
	Audience      Text          `key:"audience" doc:"Whom the release is for: an audience. Shares are of its members; everybody else gets the route's upstream where the route has one, else stable, is no evidence, and carries no Serin-Rollout and Serin-Arm. Rollouts and experiments whose audiences have nobody in common may stand on one route, with the same key: who a request is from must tell them apart (header, cookie, claim, cidr, key_file, share), not what it asks for (host, path, query). Another audience in the file moves nobody it leaves in, gives newcomers the share in force at once, and begins the stage's evidence anew. Default: everybody."`
	Stable        Text          `key:"stable" required:"true" doc:"Upstream that serves now, and that everything returns to."`
	Canary        Text          `key:"canary" required:"true" doc:"Upstream to be released."`
	Key           []Key         `key:"key" default:"header:X-User-Id, mint:serin_uid" doc:"Where a user's key is: the first that is present wins. mint:NAME reads the cookie NAME and makes it where there is none; claim:NAME is a claim of a token that [jwt] verifies, and absent without one; without [jwt] it is passed over, and refused as the only source. A request without any key goes to stable and is no evidence."`
	Salt          *Salt         `key:"salt" doc:"What makes this rollout's buckets its own. A secret where users could pick their bucket. Default: the rollout's name."`
	Signals       *SignalsTable `key:"signals" doc:"Take business signals from the upstreams' answers. They can always be sent to POST /v1/signals."`
	Force         *ForceTable   `key:"force" doc:"Let a request ask for an arm. Forced requests are never evidence. Off unless given."`
	Start         Text          `key:"start" default:"auto" enum:"auto|manual" doc:"auto begins a new revision by itself; manual waits for serin start."`
	Ladder        Rungs         `key:"ladder" doc:"The stages in short: [\"1%\", \"5%\", \"100%\"], \"2% x2\" (doubling), \"10% +10%\" (steps), or [\"preview\", \"100%\"]. Ends at 100%. Either this or [[rollout.NAME.stage]]; without both, 1%, 5%, 25%, 100%."`
	Stage         []StageTable  `key:"stage" doc:"The stages in full, in their order."`
	Every         Duration      `key:"every" default:"15m" min:"1s" doc:"Least time of every stage, the last included. Longer sees slower faults; the whole release takes at least the sum."`
	MaxStage      Duration      `key:"max_stage" default:"6h" min:"1s" doc:"A stage that has not passed by then asks a person (or widens, see sparse)."`
	Warmup        Duration      `key:"warmup" default:"120s" doc:"After the canary first takes traffic its latency is no evidence for so long; its errors always are."`
	Sparse        Text          `key:"sparse" default:"extend" enum:"extend|widen|ask" doc:"With too little traffic to judge: extend waits to max_stage, widen goes on to widen_max without evidence, ask asks a person."`
	WidenMax      *Weight       `key:"widen_max" min:"0.01%" doc:"The most that sparse = \"widen\" gives without evidence. Default: the next stage's weight."`
	HoldTimeout   Duration      `key:"hold_timeout" default:"60m" doc:"A confirmed hold lasts at most this, then on_hold_timeout. 0s is for ever."`
	OnHoldTimeout Text          `key:"on_hold_timeout" default:"rollback" enum:"rollback|step_back|ask" doc:"What ends a confirmed hold."`
	OnFail        Text          `key:"on_fail" default:"rollback" enum:"rollback|freeze" doc:"freeze keeps a failed version where it is: only for versions that must not be reverted."`
	Revert        RevertTable   `key:"revert" doc:"How a rollback returns. At once unless given."`
	Holdback      Weight        `key:"holdback" default:"1%" max:"50%" doc:"Stable keeps this share in the last stage, as a living baseline, until the rollout completes. 0% judges the last stage against stable's past, which only absolute limits may revert."`
	KeepOld       Duration      `key:"keep_old" default:"1h" doc:"After completion stable stays warm for so long and serin rollback stays instant."`
	Shield        Flag          `key:"shield" default:"false" doc:"A request with an idempotent method whose canary answer fails (5xx, no connection, reset, timeout) before its first byte goes once to stable, within stable's retry budget (upstream retry.budget). The user sees stable's answer; the gates count the canary's failure. Forced requests are left alone."`
	Mirror        MirrorTable   `key:"mirror" doc:"How the copies of a stage with mirror are sent, and their answers compared with the users'."`
	Drill         DrillTable    `key:"drill" doc:"Ask for a drill before the rollout begins."`
	Expose        Flag          `key:"expose" default:"false" doc:"Tell clients their arm in Serin-Arm."`
	Window        *Windows      `key:"window" doc:"Starts and widens only then: [DAYS] HH:MM-HH:MM ZONE, such as Mon-Thu 09:00-16:00 Europe/Berlin, or a list of them. A stage's clock and its gates go on outside, and a rollback may come at any time. Default: always."`
	Judge         Text          `key:"judge" default:"evidence" enum:"evidence|plain" doc:"evidence weighs what was seen; plain compares a rolling window with the limits, without statistics."`
	Plain         PlainTable    `key:"plain" doc:"Only for judge = \"plain\"."`
	Errors        ErrorsTable   `key:"errors" doc:"How often the judge may be wrong. Smaller is surer and slower."`
	DryRun        Flag          `key:"dry_run" default:"false" doc:"Decide and report, move nothing: the rollout begins at stage 1 with nobody on the canary and judges what it gets. Only a person moves users, with serin promote, step-back and rollback."`
	Exclusive     Text          `key:"exclusive" doc:"A user is in at most one rollout or experiment of this group. All of them take the same key; on one route they may stand side by side, as they may with audience. Who is not in this one gets stable and is no evidence. A rollout that has its route for itself goes to everybody at 100%."`
	Notify        []Text        `key:"notify" doc:"Who is told of this rollout: names of [notify.NAME]."`
	Gate          []GateTable   `key:"gate" doc:"One measured criterion each; all must pass to widen, one that fails rolls back."`
}

// SignalsTable is [rollout.NAME] signals.
type SignalsTable struct {
	Header Header `key:"header" required:"true" doc:"Field of an upstream's answer that says what the request brought about: checkout_done=1, revenue=12.50. It is taken off before the client sees it."`
}

// ForceTable is [rollout.NAME] force.
type ForceTable struct {
	Header Header `key:"header" required:"true" doc:"Field whose value canary or stable chooses the arm."`
}

// StageTable is [[rollout.NAME.stage]].
type StageTable struct {
	Weight   Rungs         `key:"weight" doc:"The canary's share, or a list: as many stages with the same settings. The last is 100%. May be left out beside audience, then the share of the stage before stays, and beside mirror."`
	Audience Text          `key:"audience" doc:"A ring: the members of this audience go to the canary from this stage on, and stay."`
	Mirror   *Weight       `key:"mirror" min:"0.01%" doc:"Nobody is on the canary: copies of the GET, HEAD and OPTIONS requests of this share of the users go there (marked Serin-Mirror: 1), and its answers are compared with theirs and thrown away. Comes before the first share; a gate for mismatch_rate judges it."`
	For      *Duration     `key:"for" min:"1s" doc:"Least time of the stage. Default: the rollout's every."`
	Owner    Text          `key:"owner" doc:"Role that must approve this stage before it begins; admin always may."`
	Approve  *ApproveTable `key:"approve" doc:"Ask a person before the stage begins."`
}

// ApproveTable is [[rollout.NAME.stage]] approve.
type ApproveTable struct {
	Timeout   Duration `key:"timeout" default:"0s" doc:"How long to wait for an answer. 0s is for ever."`
	OnTimeout Text     `key:"on_timeout" default:"hold" enum:"hold|rollback|advance" doc:"What no answer means."`
}

// PlainTable is [rollout.NAME] plain.
type PlainTable struct {
	Window      Duration `key:"window" default:"5m" min:"1s" doc:"Rolling window that is compared."`
	MinRequests Count    `key:"min_requests" default:"100" min:"1" doc:"Fewer canary requests in it hold."`
	Failures    Count    `key:"failures" default:"3" min:"1" max:"1000" doc:"Checks in a row beyond the rollback limit that roll back."`
}

// ErrorsTable is [rollout.NAME] errors.
type ErrorsTable struct {
	FalseRollback Share `key:"false_rollback" default:"1%" min:"0.0001%" max:"50%" doc:"Chance that a ladder rolls back a canary that is no worse."`
	FalsePass     Share `key:"false_pass" default:"5%" min:"0.0001%" max:"50%" doc:"Chance that a stage passes a canary beyond the limit it must exclude."`
}

// GateTable is [[rollout.NAME.gate]].
type GateTable struct {
	Metric   Text    `key:"metric" required:"true" doc:"What is measured: one of the metrics below."`
	Hold     *Limit  `key:"hold" doc:"Worse than this holds: stable + 0.5pt, stable * 1.10, stable + 20ms, 1%, 300ms; a plain number for metric = \"prometheus\"; stable - 0.5pt where lower is worse, the same as stable + 0.5pt."`
	Rollback *Limit  `key:"rollback" doc:"Worse than this rolls back. Without it this gate never does."`
	Floor    *Points `key:"floor" doc:"A relative limit on a rate never judges less than this. Default 0.1pt."`
	Worse    Text    `key:"worse" default:"higher" enum:"higher|lower" doc:"Which way is bad. Only what is measured elsewhere, and signals, may be worse when lower."`
	DryRun   Flag    `key:"dry_run" default:"false" doc:"Report, decide nothing."`
	Stages   []Count `key:"stages" some:"true" min:"1" doc:"Stages it judges, from 1. Default: all."`

	Query   Text       `key:"query" doc:"metric = \"prometheus\": the PromQL query; it must give one number. {{rollout}}, {{revision}}, {{stage}} and {{weight}} in it stand for what is released."`
	URL     *SinkURL   `key:"url" doc:"metric = \"prometheus\": the server's address, default http://127.0.0.1:9090. metric = \"webhook\": the check, which is sent the rollout, revision, stage and weight as JSON and answers {\"verdict\": \"allow\"} (or hold, or fail, which rolls back) and a \"reason\"; with limits it answers {\"value\": 0.03} instead."`
	Every   *Duration  `key:"every" min:"1s" doc:"How often it asks. A reading older than three times this counts for nothing, and the gate holds. Default 30s."`
	Timeout *Duration  `key:"timeout" min:"10ms" doc:"How long it waits for an answer. Default 5s, at most every."`
	Bearer  *SecretRef `key:"bearer" doc:"Sent as a bearer token."`
}
