package experiment

import "math"

// Ratio says whether the users are spread over the arms as their shares say.
type Ratio struct {
	Verdict string  `json:"verdict"` // ok | mismatch | too_few | saturated
	Odds    float64 `json:"odds"`    // against the shares being as configured
	Needs   float64 `json:"needs"`   // from which on it is a mismatch
	Users   []int   `json:"users"`   // by arm, stopped ones included; buckets with a request, so at most their share of 10,000
}

// ratioNeeds is how strong the evidence of a mismatch must be: one experiment in a thousand is suspected for nothing, however
// often one looks.
const ratioNeeds = 1000

// fewUsers are too few to say anything.
const fewUsers = 50

// concentrations of the alternatives: how far from the configured shares a broken experiment's are. A tenth of the weight
// each on slightly and on grossly wrong ones would lose at most ln 4 against the best of them.
var concentrations = [...]float64{10, 100, 1000, 10000}

// RatioOf is Ratio for arms that are not stopped. Shares need not sum to one; users are the distinct ones seen of each arm,
// and possible how many there can be (the arm's buckets): where nearly all have been seen, counts are equal by construction
// and say nothing. A sequential test (Lindon and Malek, "Anytime-valid inference for multinomial count data", 2022): the
// odds are a mixture of Dirichlet-multinomial likelihoods over the multinomial one of the shares, whose chance of ever
// reaching 1/a is at most a when the shares are right.
func RatioOf(shares []float64, users, possible []int) Ratio {
	r := Ratio{Verdict: "ok", Odds: 1, Needs: ratioNeeds, Users: users}
	total, sum, full := 0, 0.0, len(users) > 0
	for i, n := range users {
		total += n
		sum += shares[i]
		full = full && float64(n) > .9*float64(possible[i])
	}
	switch {
	case total < fewUsers || len(users) < 2 || sum <= 0:
		r.Verdict = "too_few"
		return r
	case full:
		r.Verdict = "saturated"
		return r
	}
	mean := 0.0
	for _, c := range concentrations {
		log := lgamma(c) - lgamma(c+float64(total))
		for i, n := range users {
			q := shares[i] / sum
			log += lgamma(c*q+float64(n)) - lgamma(c*q) - float64(n)*math.Log(q)
		}
		mean += math.Exp(min(log, 600)) / float64(len(concentrations))
	}
	r.Odds = math.Round(min(mean, 1e12)*1e3) / 1e3
	if mean >= ratioNeeds {
		r.Verdict = "mismatch"
	}
	return r
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
