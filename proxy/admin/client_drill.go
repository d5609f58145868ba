package admin

import (
	"context"
	"encoding/json"
	"net/http"
)

// Drill begins a drill and returns the decision.
func (c *Client) Drill(ctx context.Context, name string, o DrillOrder) (DecisionView, error) {
	var v DecisionView
	err := c.post(ctx, o, &v, "v1", "rollouts", name, "drill")
	return v, err
}

// StopDrill ends the drill that runs and returns the decision with its result.
func (c *Client) StopDrill(ctx context.Context, name, actor string) (DecisionView, error) {
	var v DecisionView
	b, err := json.Marshal(Act{Actor: actor})
	if err != nil {
		return v, err
	}
	req, err := c.request(ctx, http.MethodDelete, nil, b, []string{"v1", "rollouts", name, "drill"})
	if err != nil {
		return v, err
	}
	req.Header.Set("Content-Type", "application/json")
	return v, c.do(req, &v)
}

// Drills are the drill that runs and the last one.
func (c *Client) Drills(ctx context.Context, name string) (Drill, error) {
	var v Drill
	err := c.get(ctx, &v, nil, "v1", "rollouts", name, "drill")
	return v, err
}

// Mirror is what the rollout's mirror has found.
func (c *Client) Mirror(ctx context.Context, name string) (Mirror, error) {
	var v Mirror
	err := c.get(ctx, &v, nil, "v1", "rollouts", name, "mirror")
	return v, err
}
