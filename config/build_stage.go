package config

import (
	"errors"
	"fmt"
	"time"

	"serin/gate"
	"serin/gate/ladder"
	"serin/router"
)

// stages builds the rungs from the short form or from [[rollout.NAME.stage]].
func (b *builder) stages(at string, t *RolloutTable) []gate.Stage {
	short, long := join(at, "ladder"), join(at, "stage")
	switch {
	case b.bad[short] || b.bad[long]:
		return nil
	case b.given[short] && b.given[long]:
		b.report(long, "a rollout has a ladder or stages, never both", "")
		return nil
	case b.given[long]:
		return b.longForm(at, long, t)
	case !b.given[short]:
		t.Ladder = Rungs{"1%", "5%", "25%", "100%"}
	}
	stages, err := ladder.Parse(t.Ladder)
	if err != nil {
		b.rung(err, func(i int) string {
			if len(t.Ladder) > 1 && i < len(t.Ladder) {
				return element(short, i)
			}
			return short
		})
		return nil
	}
	for i := range stages {
		stages[i].Least = time.Duration(t.Every)
	}
	b.lasts(at, t, stages)
	return stages
}

// longForm builds the stages of [[rollout.NAME.stage]]: one for each weight of each table.
func (b *builder) longForm(at, path string, t *RolloutTable) []gate.Stage {
	var stages []gate.Stage
	var places []string // of each stage, for messages
	sound := true
	for i := range t.Stage {
		table, place := &t.Stage[i], b.elementOf(path, i)
		shares, ok := b.sharesOf(place, table, stages)
		sound = sound && ok
		for j, text := range shares {
			stage, ok := b.stageOf(place, table, text, j == 0, stages)
			if !ok {
				sound = false
				continue
			}
			stages = append(stages, t.stage(stage, table))
			at := join(place, "weight")
			if len(table.Weight) > 1 {
				at = element(at, j)
			}
			places = append(places, at)
		}
	}
	if !sound {
		return nil
	}
	if err := ladder.Check(stages); err != nil {
		b.rung(err, func(i int) string {
			if i < len(places) {
				return places[i]
			}
			return path
		})
		return nil
	}
	b.lasts(at, t, stages)
	return stages
}

// sharesOf are the shares of the stages that a table makes, "" for one without a share of its own. before are the stages so
// far. sound is false where something about the table was reported.
func (b *builder) sharesOf(place string, table *StageTable, before []gate.Stage) (shares Rungs, sound bool) {
	weight, audience, mirror := join(place, "weight"), join(place, "audience"), join(place, "mirror")
	sound = !b.bad[weight]
	if b.given[audience] && !b.ring(audience, table.Audience) {
		sound = false
	}
	switch {
	case b.given[mirror] && b.bad[mirror]:
		return nil, false
	case !b.given[weight] && !b.given[audience] && !b.given[mirror]:
		b.report(place, "weight is missing: want a share, such as \"5%\", an audience or a mirror", "")
		return nil, false
	case b.given[mirror] && (b.given[weight] || b.given[audience]):
		_, _ = b.mirrors(place, table, before) // says so
		sound = false
	}
	if !b.given[weight] {
		return Rungs{""}, sound
	}
	return table.Weight, sound
}

// stageOf is the stage of one share of a table: a preview, a mirror, a ring at the share that is there, or a share, whose
// first stage may open a ring too.
func (b *builder) stageOf(place string, table *StageTable, share string, first bool, before []gate.Stage) (stage gate.Stage, ok bool) {
	ring := b.given[join(place, "audience")]
	switch {
	case share == "preview":
		return gate.Stage{Label: "preview", Preview: true}, true
	case share == "" && b.given[join(place, "mirror")] && !ring:
		return b.mirrors(place, table, before)
	case share == "":
		stage.Label = "ring " + string(table.Audience)
		if len(before) > 0 {
			stage.Weight = before[len(before)-1].Weight
		}
		return stage, true
	}
	stage.Weight, ok = parseWeight(share)
	if !ok {
		b.report(join(place, "weight"), wanted(`a share in steps of 0.01%, such as "5%", a list of them, or "preview"`, share).Error(), "")
		return stage, false
	}
	stage.Label = stage.Weight.String()
	if ring && first {
		stage.Label += " and ring " + string(table.Audience)
	}
	return stage, true
}

// stage gives a stage what its table says besides, and the rollout's table where that says nothing.
func (t *RolloutTable) stage(stage gate.Stage, table *StageTable) gate.Stage {
	stage.Audience, stage.Owner, stage.Least = string(table.Audience), string(table.Owner), time.Duration(t.Every)
	if table.For != nil {
		stage.Least = time.Duration(*table.For)
	}
	if table.Approve != nil {
		stage.Approve = &gate.Approve{Timeout: time.Duration(table.Approve.Timeout), OnTimeout: string(table.Approve.OnTimeout)}
	}
	return stage
}

// rung reports what the ladder package found, where the rung is in the file.
func (b *builder) rung(err error, place func(i int) string) {
	var wrong *ladder.Error
	if !errors.As(err, &wrong) {
		b.report(place(0), err.Error(), "")
		return
	}
	b.report(place(max(0, wrong.Rung)), wrong.Problem, wrong.Hint)
}

// lasts checks a ladder's times and its last stage.
func (b *builder) lasts(at string, t *RolloutTable, stages []gate.Stage) {
	for i, stage := range stages {
		if stage.Least > time.Duration(t.MaxStage) {
			b.report(join(at, "max_stage"), fmt.Sprintf("stage %d lasts %s at least: want no less than that, got %s",
				i+1, Duration(stage.Least), t.MaxStage), "")
			break
		}
	}
	if n := len(stages); n > 1 && stages[n-2].Weight >= router.Full-router.Weight(t.Holdback) {
		b.report(join(at, "holdback"), fmt.Sprintf("leaves the last stage %s, no more than the stage before it: want less, or a smaller stage there",
			(router.Full-router.Weight(t.Holdback)).String()), "")
	}
	if stages[0].Preview && stages[0].Audience == "" && t.Force == nil {
		b.warn(at, "nobody can reach the preview: name a force header, or give its stage an audience")
	}
	if len(stages) == 1 {
		b.warn(at, "a single stage: everybody gets the canary at once")
	}
	if w := t.WidenMax; w != nil && router.Weight(*w) < stages[0].Weight {
		b.warn(join(at, "widen_max"), "is below the first stage, so nothing is ever widened without evidence")
	}
}
