package router

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

func TestVectors_Published_AreKept(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Salts   map[string]string
		Vectors []struct {
			Salt    string
			KeyHex  string `json:"key_hex"`
			Key     *string
			HashHex string `json:"hash_hex"`
			Bucket  Bucket
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 60 {
		t.Fatalf("got %d vectors, want at least 60", len(file.Vectors))
	}
	for salt, want := range file.Salts {
		if got := fmt.Sprintf("%016x", Salt(salt)); got != want {
			t.Errorf("Salt(%q) = %s, want %s", salt, got, want)
		}
	}
	for _, v := range file.Vectors {
		key, err := hex.DecodeString(v.KeyHex)
		if err != nil {
			t.Fatal(err)
		}
		if v.Key != nil && *v.Key != string(key) {
			t.Errorf("key %q is not key_hex %s", *v.Key, v.KeyHex)
		}
		salt := Salt(v.Salt)
		if got := fmt.Sprintf("%016x", HashOf(salt, key)); got != v.HashHex {
			t.Errorf("HashOf(%q, %s) = %s, want %s", v.Salt, v.KeyHex, got, v.HashHex)
		}
		if got := BucketOf(salt, key); got != v.Bucket {
			t.Errorf("BucketOf(%q, %s) = %d, want %d", v.Salt, v.KeyHex, got, v.Bucket)
		}
	}
}

func TestBucketOf_LongKeys_AreCutAt256Bytes(t *testing.T) {
	t.Parallel()
	salt := Salt("checkout")
	long := bytes.Repeat([]byte("k"), 1<<20)
	if got, want := BucketOf(salt, long), BucketOf(salt, long[:MaxKey]); got != want {
		t.Errorf("bucket of a key of 1 MiB = %d, want %d, that of its first 256 bytes", got, want)
	}
	if HashOf(salt, long[:MaxKey]) == HashOf(salt, long[:MaxKey-1]) {
		t.Error("the 256th byte does not count")
	}
}

func TestWeight_OfAMillionKeys_GetsItsShare(t *testing.T) {
	t.Parallel()
	const keys = 1_000_000
	buckets := make([]Bucket, keys)
	salt := Salt("share")
	for i := range buckets {
		buckets[i] = BucketOf(salt, strconv.AppendInt(nil, int64(i), 10))
	}
	for _, w := range []Weight{0, 1, 50, 100, 500, 2500, 5000, 9900, 9999, Full} {
		got := 0
		for _, b := range buckets {
			got += int(w.Arm(b))
		}
		p := w.Fraction()
		if off := math.Abs(float64(got) - p*keys); off > 4*math.Sqrt(keys*p*(1-p)) {
			t.Errorf("weight %v: got %d canary keys of %d, %.0f off", w, got, keys, off)
		}
	}
}

func TestWeight_Raised_MovesNobodyBack(t *testing.T) {
	t.Parallel()
	for b := range Bucket(Buckets) {
		flips := b.FlipsAt()
		for _, w := range []Weight{0, 1, flips - 1, flips, flips + 1, 5000, Full} {
			want := Stable
			if w >= flips {
				want = Canary
			}
			if got := w.Arm(b); got != want {
				t.Fatalf("weight %v, bucket %d: got %v, want %v", w, b, got, want)
			}
		}
	}
}

func TestBucketOf_TwoSalts_AreIndependent(t *testing.T) {
	t.Parallel()
	const keys, groups = 200_000, 10
	var seen [groups][groups]int
	one, two := Salt("checkout"), Salt("checkout-2")
	for i := range keys {
		key := strconv.AppendInt([]byte("user-"), int64(i), 10)
		seen[BucketOf(one, key)/(Buckets/groups)][BucketOf(two, key)/(Buckets/groups)]++
	}
	const want = float64(keys) / (groups * groups)
	chi := 0.0
	for _, row := range seen {
		for _, n := range row {
			chi += (float64(n) - want) * (float64(n) - want) / want
		}
	}
	checkChiSquare(t, "two salts", chi, groups*groups-1)
}

func TestBucketOf_PatternedKeys_FillAllBucketsEvenly(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	f := func(name string, key func(i int) []byte) {
		t.Helper()
		const keys = 1_000_000
		var seen [Buckets]int
		salt := Salt("even")
		for i := range keys {
			seen[BucketOf(salt, key(i))]++
		}
		chi := 0.0
		for _, n := range seen {
			const want = float64(keys) / Buckets
			chi += (float64(n) - want) * (float64(n) - want) / want
		}
		checkChiSquare(t, name, chi, Buckets-1)
	}
	f("sequential ids", func(i int) []byte { return strconv.AppendInt(nil, int64(i), 10) })
	f("padded ids", func(i int) []byte { return fmt.Appendf(nil, "user-%09d", i) })
	f("UUIDs", func(int) []byte {
		a, b := random.Uint64(), random.Uint64()
		return fmt.Appendf(nil, "%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xFFFF, a&0xFFF, b>>48&0x3FFF|0x8000, b&(1<<48-1))
	})
	f("addresses", func(i int) []byte { return []byte{10, byte(i >> 16), byte(i >> 8), byte(i)} })
}

// checkChiSquare holds a statistic within four standard deviations of its mean: mean k, variance 2k.
func checkChiSquare(t *testing.T, name string, chi float64, freedom int) {
	t.Helper()
	k := float64(freedom)
	if math.Abs(chi-k) > 4*math.Sqrt(2*k) {
		t.Errorf("%s: chi-square %.0f with %d degrees of freedom", name, chi, freedom)
	}
}

func TestBucketOf_SecretSalt_DefeatsChosenKeys(t *testing.T) {
	t.Parallel()
	// The attacker keeps a million keys that hash into the first percent under salts he knows.
	const keys, w = 1_000_000, Weight(100)
	guess, secret := Salt("checkout"), Salt("a4c1 secret 77")
	chosen, got := 0, 0
	for i := 0; chosen < keys/50; i++ {
		key := strconv.AppendInt(nil, int64(i), 36)
		if w.Arm(BucketOf(guess, key)) == Canary {
			chosen++
			got += int(w.Arm(BucketOf(secret, key)))
		}
	}
	p, n := w.Fraction(), float64(chosen)
	if off := math.Abs(float64(got) - p*n); off > 4*math.Sqrt(n*p*(1-p)) {
		t.Errorf("got %d of %d chosen keys on the canary, want about %.0f", got, chosen, p*n)
	}
}

func TestWeight_AsText_IsAPercent(t *testing.T) {
	t.Parallel()
	for w, want := range map[Weight]string{0: "0 %", 1: "0.01 %", 50: "0.5 %", 100: "1 %", 500: "5 %", 1234: "12.34 %", Full: "100 %"} {
		if got := w.String(); got != want {
			t.Errorf("Weight(%d) = %q, want %q", uint16(w), got, want)
		}
	}
}

func FuzzBucketOf(f *testing.F) {
	f.Add("checkout", []byte("alice"), uint16(500), uint16(2500))
	f.Add("", []byte{}, uint16(0), uint16(10000))
	f.Add("x", bytes.Repeat([]byte{0xFF}, 300), uint16(9999), uint16(65535))
	f.Fuzz(func(t *testing.T, salt string, key []byte, w, more uint16) {
		b := BucketOf(Salt(salt), key)
		if b >= Buckets {
			t.Fatalf("bucket %d out of range", b)
		}
		if b != BucketOf(Salt(salt), bytes.Clone(key)) {
			t.Fatal("the same key has two buckets")
		}
		low, high := Weight(min(w, more)), Weight(max(w, more))
		if low.Arm(b) == Canary && high.Arm(b) != Canary {
			t.Fatalf("raising %v to %v sends bucket %d back", low, high, b)
		}
		if Weight(0).Arm(b) != Stable || Full.Arm(b) != Canary {
			t.Fatalf("bucket %d: 0 %% or 100 %% is not exact", b)
		}
	})
}
