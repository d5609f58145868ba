package window

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sweepSlowly is sweep, bucket by bucket.
func sweepSlowly(k Kind, u *Users, mask *Mask) (a arm) {
	for b := range Buckets {
		var c Counts
		if b < len(u[All]) {
			c.N = float64(u[All][b])
		}
		if c.N == 0 && k != AbortKind {
			continue
		}
		if b < len(u[k]) {
			c.X = float64(u[k][b])
		}
		if k == AbortKind {
			c.N += c.X
		}
		if c.N == 0 {
			continue
		}
		a.everyone, a.heaviest = a.everyone+c.N, max(a.heaviest, c.N)
		if mask.Has(uint16(b)) {
			continue
		}
		a.active++
		a.n, a.x, a.nn, a.xx, a.xn = a.n+c.N, a.x+c.X, a.nn+c.N*c.N, a.xx+c.X*c.X, a.xn+c.X*c.N
		if c.X > 0 {
			a.bad++
		}
		if c.X > a.worst.X {
			a.worst = c
		}
	}
	return a
}

func TestSweep_AnyUsers_IsTheSumBucketByBucket(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		most := []uint32{3, 100, 1 << 24, math.MaxUint32}[seed%4]
		u, mask := new(Users), new(Mask)
		for k := range u {
			size := []int{Buckets, Buckets, 0, 500}[r.IntN(4)]
			if Kind(k) == All && seed%3 > 0 {
				size = Buckets
			}
			u[k] = make([]uint32, size)
			for b := range u[k] {
				if r.IntN(3) == 0 {
					u[k][b] = r.Uint32N(most)
				}
			}
		}
		for range r.IntN(3000) {
			mask.Set(uint16(r.IntN(Buckets + 100)))
		}
		for _, m := range []*Mask{nil, mask} {
			for _, k := range []Kind{BadKind, ClientKind, TimeoutKind, AbortKind} {
				got, want := sweep(k, u, m), sweepSlowly(k, u, m)
				if !alike(got, want) {
					t.Fatalf("seed %d, kind %d, mask %v: got %+v, want %+v", seed, k, m != nil, got, want)
				}
			}
		}
	}
}

// alike allows the squares of huge counts the rounding of their order.
func alike(a, b arm) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) <= 1e-12*math.Abs(y) }
	ok := near(a.n, b.n) && near(a.nn, b.nn) && near(a.x, b.x) && near(a.xx, b.xx) && near(a.xn, b.xn) && near(a.everyone, b.everyone)
	return ok && a.worst == b.worst && a.heaviest == b.heaviest && a.active == b.active && a.bad == b.bad
}
