package config

// MirrorTable is [rollout.NAME.mirror].
type MirrorTable struct {
	Headers     []Header `key:"headers" default:"Content-Type, Location" doc:"Fields of the answers that are compared, besides the status and the body."`
	Ignore      []Text   `key:"ignore" doc:"What is not compared, with all below it: $.generated_at, $.items[].id (every index is []), header Location, body."`
	Numbers     Share    `key:"numbers" default:"0%" doc:"Numbers in JSON may differ by this much of the larger one."`
	Times       Duration `key:"times" default:"0s" doc:"RFC 3339 times in JSON may differ by so much."`
	Noise       Share    `key:"noise" default:"10%" doc:"Share of the mirrored requests that stable answers once more: fields in which stable differs from itself are noise and are left out, and what is left of it is what mismatch_rate compares with. The first 20 serve to learn. 0% learns nothing; then only absolute limits can be met."`
	Body        Size     `key:"body" default:"64KiB" min:"1KiB" max:"4MiB" doc:"Bytes of a body that are compared. A larger answer is counted and left."`
	Credentials Flag     `key:"credentials" default:"true" doc:"Copies carry the user's Cookie and Authorization, as the canary would get them. Without them most services answer 401 to everything."`
	Values      Flag     `key:"values" default:"false" doc:"Show the values that differ. They are people's data: by default only the fields' names are kept, and for each value a tag that tells it from another."`
	Concurrency Count    `key:"concurrency" default:"8" min:"1" max:"1000" doc:"Copies under way at once, on connections of their own."`
	Queue       Count    `key:"queue" default:"64" min:"1" max:"10000" doc:"Copies in memory at once. A request that finds no room is not mirrored."`
	Timeout     Duration `key:"timeout" default:"10s" min:"1ms" max:"5m" doc:"Of one copy. An answer that comes later is none, and differs."`
}

// DrillTable is [rollout.NAME] drill.
type DrillTable struct {
	Required Flag     `key:"required" default:"false" doc:"The rollout waits with reason drill_required until a drill of this revision (serin drill) has shown that a gate would have fired. serin promote begins without."`
	MaxAge   Duration `key:"max_age" default:"168h" min:"1m" doc:"How long ago that may have been."`
}
