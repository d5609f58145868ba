package router

// forced returns the arm that the request's force header names, "canary" or "stable" in any case. Any other value is
// no override: the key decides, as if the field were not there.
func forced(r *Request, header string) (arm Arm, ok bool) {
	value, ok := Field(r.Head, header)
	if !ok || len(value) != len("canary") { // the two names are equally long
		return Stable, false
	}
	switch {
	case equalFold(value, "canary"):
		return Canary, true
	case equalFold(value, "stable"):
		return Stable, true
	}
	return Stable, false
}
