package admin

import "context"

// Experiments lists every experiment with its table, in the order of the file.
func (c *Client) Experiments(ctx context.Context) ([]Experiment, error) {
	var v Experiments
	err := c.get(ctx, &v, nil, "v1", "experiments")
	return v.Experiments, err
}

// Experiment is one experiment with its table.
func (c *Client) Experiment(ctx context.Context, name string) (Experiment, error) {
	var v Experiment
	err := c.get(ctx, &v, nil, "v1", "experiments", name)
	return v, err
}

// StopArm takes the users of one arm, or of every arm, back to the control and returns the decision.
func (c *Client) StopArm(ctx context.Context, experiment string, stop StopArm) (DecisionView, error) {
	var v DecisionView
	err := c.post(ctx, stop, &v, "v1", "experiments", experiment, "stop")
	return v, err
}

// Flags lists every flag, in the order of the file.
func (c *Client) Flags(ctx context.Context) ([]FlagView, error) {
	var v FlagList
	err := c.get(ctx, &v, nil, "v1", "flags")
	return v.Flags, err
}
