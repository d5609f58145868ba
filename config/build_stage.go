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
	broken := false
	for i := range t.Stage {
		table, place := &t.Stage[i], join(b.elementOf(path, i), "weight")
		broken = broken || b.bad[place]
		ring := b.given[join(parent(place), "audience")]
		if ring && !b.ring(join(parent(place), "audience"), table.Audience) {
			broken = true
		}
		shares := table.Weight
		if !b.given[place] {
			shares = Rungs{""} // the share stays
		}
		copies := b.given[join(parent(place), "mirror")]
		if copies && b.bad[join(parent(place), "mirror")] {
			broken = true
			continue
		}
		if !b.given[place] && !ring && !copies {
			b.report(parent(place), "weight is missing: want a share, such as \"5%\", an audience or a mirror", "")
			broken = true
			continue
		}
		if copies && (b.given[place] || ring) {
			_, _ = b.mirrors(parent(place), table, stages)
			broken = true
		}
		for j, text := range shares {
			stage := gate.Stage{Label: "preview", Preview: true}
			if text == "" {
				stage = gate.Stage{Label: "ring " + string(table.Audience)}
				if len(stages) > 0 {
					stage.Weight = stages[len(stages)-1].Weight
				}
				if copies && !ring {
					var ok bool
					stage, ok = b.mirrors(parent(place), table, stages)
					broken = broken || !ok
				}
			} else if text != "preview" {
				weight, ok := parseWeight(text)
				if !ok {
					b.report(place, wanted(`a share in steps of 0.01%, such as "5%", a list of them, or "preview"`, text).Error(), "")
					broken = true
					continue
				}
				stage = gate.Stage{Label: weight.String(), Weight: weight}
				if ring && j == 0 {
					stage.Label += " and ring " + string(table.Audience)
				}
			}
			stage.Audience = string(table.Audience)
			stage.Least, stage.Owner = time.Duration(t.Every), string(table.Owner)
			if table.For != nil {
				stage.Least = time.Duration(*table.For)
			}
			if table.Approve != nil {
				stage.Approve = &gate.Approve{Timeout: time.Duration(table.Approve.Timeout), OnTimeout: string(table.Approve.OnTimeout)}
			}
			stages = append(stages, stage)
			if len(table.Weight) > 1 {
				places = append(places, element(place, j))
			} else {
				places = append(places, place)
			}
		}
	}
	if broken {
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
