package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// group runs rooms and waits for them.
type group struct{ sync.WaitGroup }

// start runs a room until ctx ends; a room that fails before ends everything with its error.
func (g *group) start(ctx context.Context, end context.CancelCauseFunc, name string, run func(context.Context) error) {
	g.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			end(fmt.Errorf("%s: %w", name, err))
		}
	})
}

// part is a room that can be ended before the others.
type part struct {
	end  context.CancelFunc
	done chan struct{} // closed when it has ended
}

// startPart is start for a part.
func (g *group) startPart(ctx context.Context, end context.CancelCauseFunc, name string, run func(context.Context) error) part {
	own, cancel := context.WithCancel(ctx)
	p := part{cancel, make(chan struct{})}
	g.start(own, end, name, func(ctx context.Context) error {
		defer close(p.done)
		return run(ctx)
	})
	return p
}
