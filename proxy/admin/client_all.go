package admin

import "context"

// All does pause, resume or rollback on every rollout at once.
func (c *Client) All(ctx context.Context, verb string, a Act) (Everything, error) {
	var out Everything
	err := c.post(ctx, a, &out, "v1", verb)
	return out, err
}

// Freeze is the pause of everything; nil where there is none.
func (c *Client) Freeze(ctx context.Context) (*Freeze, error) {
	var out Everything
	err := c.get(ctx, &out, nil, "v1", "freeze")
	return out.Freeze, err
}
