package journal

import "serin/router"

// Attempt is what one attempt cost, told once, with the decision that ended it. Users are estimated from buckets. What is
// still under way when a stage ends is counted in no attempt.
type Attempt struct {
	Number      int         `json:"number"`
	Revision    string      `json:"revision"`
	Users       uint64      `json:"users"`
	Requests    uint64      `json:"requests"`
	Failed      uint64      `json:"failed"`
	UsersFailed uint64      `json:"users_failed"`
	Shares      []ShareTime `json:"shares"` // in the order of their first use
}

// ShareTime is how long the canary had a share of the users, and what it did with it.
type ShareTime struct {
	Weight   router.Weight `json:"weight"` // 0: a preview, or a ring alone
	Seconds  float64       `json:"seconds"`
	Requests uint64        `json:"requests"`
	Failed   uint64        `json:"failed"`
}
