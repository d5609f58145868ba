package router

import "github.com/cespare/xxhash/v2"

// MaxKey is how many bytes of a key count. A longer key is cut, not refused: two keys that agree in their first
// 256 bytes share a bucket, and a key of a megabyte costs what one of 256 bytes does.
const MaxKey = 256

// Salt turns a rollout's salt text into the seed of its buckets: XXH64 of the text with seed 0.
func Salt(text string) uint64 { return xxhash.Sum64String(text) }

// BucketOf returns the bucket of a key: HashOf modulo 10,000. It allocates nothing.
func BucketOf(salt uint64, key []byte) Bucket { return bucketOf(HashOf(salt, key)) }

// HashOf returns XXH64 of the key's first MaxKey bytes, seeded with the salt.
func HashOf(salt uint64, key []byte) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(salt)
	d.Write(key[:min(len(key), MaxKey)])
	return d.Sum64()
}

// hashText is HashOf for a key that is a string.
func hashText(salt uint64, key string) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(salt)
	d.WriteString(key[:min(len(key), MaxKey)])
	return d.Sum64()
}

// bucketOf reduces by the remainder: of 2^64 values the most favoured bucket has one more than the least.
func bucketOf(hash uint64) Bucket { return Bucket(hash % Buckets) }
