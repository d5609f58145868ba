package config

// FlagTable is [flag.NAME].
type FlagTable struct {
	Rollout    Text     `key:"rollout" doc:"The rollout whose buckets decide: users on the canary have on, all others off. Either this or experiment."`
	Experiment Text     `key:"experiment" doc:"The experiment whose arms decide, see values."`
	On         *Any     `key:"on" doc:"Value on the canary: any TOML value. Default true."`
	Off        *Any     `key:"off" doc:"Value on stable, and on an arm that values leaves out. Default false."`
	Values     Variants `key:"values" doc:"Value of each arm of the experiment: { control = \"red\", green = \"green\" }. All of one type."`
	Header     *Header  `key:"header" doc:"Field that carries the value upstream with every request of the rollout's route: text as it is, everything else as JSON. The clients' own field of this name is removed on every route. Default: none."`
	StaleAfter Duration `key:"stale_after" default:"30d" min:"1s" doc:"A flag that has been at 100% or 0% for so long is reported as stale: in status, /v1/flags, metrics and serin check. Remove it from the code."`
}
