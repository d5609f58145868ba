package window

import "slices"

// Buckets is the number of user buckets (router.Buckets).
const Buckets = 10_000

func (u *Users) add(o *Users) {
	for k, from := range o {
		u.grow(k, from)
		for b, c := range from {
			u[k][b] += c
		}
	}
}

func (u *Users) sub(o *Users) {
	for k, from := range o {
		u.grow(k, from)
		for b, c := range from {
			u[k][b] -= c
		}
	}
}

func (u *Users) grow(k int, from []uint32) {
	if len(u[k]) < len(from) {
		u[k] = append(make([]uint32, 0, len(from)), u[k]...)[:len(from)]
	}
}

func (u *Users) clone() *Users {
	c := new(Users)
	for k := range u {
		c[k] = slices.Clone(u[k])
	}
	return c
}

// CrowdOf says what per-bucket counters tell about kind k (gate.md, section 5). mask's buckets are people but not
// evidence. Without counters the answer is a design effect of 1 and nothing else. About 80 us for 10,000 buckets.
func CrowdOf(k Kind, stable, canary *Users, mask *Mask) Crowd {
	s, c := sweep(k, stable, mask), sweep(k, canary, mask)
	out := Crowd{
		DesignEffect: max(1, s.effect(), c.effect()),
		WorstStable:  s.worst, WorstCanary: c.worst,
		BadBuckets: c.bad, ActiveStable: s.active, ActiveCanary: c.active,
	}
	if c.x > 0 {
		out.WorstShare = c.worst.X / c.x
	}
	if all := s.everyone + c.everyone; all >= minHeaviest {
		out.HeaviestShare = max(s.heaviest, c.heaviest) / all
	}
	return out
}

// minHeaviest requests must be there before one bucket's share of them means anything.
const minHeaviest = 200

// minEffectErrors is how many errors, the worst bucket's aside, an arm needs before its scatter means anything.
const minEffectErrors = 3

// arm is one sweep over an arm's buckets; sums over unmasked buckets, squares included, so that the scatter around the
// rate follows without a second sweep and with any bucket taken out.
type arm struct {
	n, x, xx, xn, nn   float64
	worst              Counts
	active, bad        int
	everyone, heaviest float64 // masked included
}

func sweep(k Kind, u *Users, mask *Mask) (a arm) {
	if u == nil || u[All] == nil {
		return a // a kind without counters has counted nothing: its buckets are active all the same
	}
	bad := u[k]
	if k == AbortKind { // nothing else may have happened to a bucket, or to any
		for b := len(u[All]); b < len(bad); b++ {
			if bad[b] > 0 {
				a.take(k, uint16(b), 0, bad, mask)
			}
		}
	}
	var n, nn, heaviest float64
	for b, judged := range u[All] {
		if judged == 0 && k != AbortKind {
			continue
		}
		if b < len(bad) && bad[b] > 0 || mask.Has(uint16(b)) {
			a.take(k, uint16(b), judged, bad, mask)
			continue
		}
		if judged > 0 { // most buckets: no error, nothing special
			c := float64(judged)
			n, nn = n+c, nn+c*c
			heaviest = max(heaviest, c)
			a.active++
		}
	}
	a.n, a.nn, a.everyone = a.n+n, a.nn+nn, a.everyone+n
	a.heaviest = max(a.heaviest, heaviest)
	return a
}

// take adds one bucket that has errors or is masked.
func (a *arm) take(k Kind, b uint16, judged uint32, bad []uint32, mask *Mask) {
	c := Counts{N: float64(judged)}
	if int(b) < len(bad) {
		c.X = float64(bad[b])
	}
	if k == AbortKind {
		c.N += c.X // aborts are no judged requests
	}
	if c.N == 0 {
		return
	}
	a.everyone += c.N
	a.heaviest = max(a.heaviest, c.N)
	if mask.Has(b) {
		return
	}
	a.active++
	a.n, a.x = a.n+c.N, a.x+c.X
	a.nn += c.N * c.N
	if c.X > 0 {
		a.bad++
		a.xx, a.xn = a.xx+c.X*c.X, a.xn+c.X*c.N
		if c.X > a.worst.X {
			a.worst = c
		}
	}
}

// effect is the arm's design effect without its worst bucket: the squared scatter of the buckets' errors around the
// arm's rate over what independent requests would show. 1 with too few errors.
func (a *arm) effect() float64 {
	w := a.worst
	n, x := a.n-w.N, a.x-w.X
	if x < minEffectErrors || x >= n {
		return 1
	}
	p := x / n
	scatter := (a.xx - w.X*w.X) - 2*p*(a.xn-w.X*w.N) + p*p*(a.nn-w.N*w.N)
	return scatter / (p * (1 - p) * n)
}
