package admin

import (
	"context"
	"net/url"
	"strconv"
)

// Series is a rollout's measured past. part names one of its lists ("recent", "attempt", "live"; "" all of them), points
// bounds each of them, 0: as they are.
func (c *Client) Series(ctx context.Context, name, part string, points int) (Series, error) {
	q := url.Values{}
	if part != "" {
		q.Set("part", part)
	}
	if points > 0 {
		q.Set("points", strconv.Itoa(points))
	}
	var v Series
	err := c.get(ctx, &v, q, "v1", "rollouts", name, "series")
	return v, err
}
