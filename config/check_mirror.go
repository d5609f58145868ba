package config

// comparing is the planner of a stage that mirrors a share of the requests: what is counted are comparisons, the canary's
// with stable's answers and, as many as mirror.noise says, stable's with one another. It returns the canary's part of them.
func (pl *planner) comparing(mirror float64) (*planner, float64) {
	c := *pl
	noise := c.rollout.Mirror.Noise
	c.rps *= mirror * (1 + noise)
	c.p = .001
	return &c, 1 / (1 + noise)
}
