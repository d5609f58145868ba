// Package router decides who goes where. It is pure: no clock, no randomness, no I/O, and nothing here
// allocates while a request is routed.
//
//	request -> Table.Match (host, path, method, headers) -> Route
//	Route.Choose (of several splits the one that has the user; none where he is in nobody's audience) -> Split
//	Split.Choose (force header, audience, key, group, rings, bucket < weight) -> Choice
//
// A user's key is hashed once, XXH64 seeded with the rollout's salt, and reduced to one of 10,000 buckets.
// Bucket b is on the canary while b < weight, so raising a weight only ever moves users from stable to canary
// and lowering it only moves them back: shares are nested, 0 % and 100 % are exact. testdata/vectors.json
// freezes the mapping for other implementations; README.md says how to check one against it.
//
// Everything is immutable once built and may be read by any number of goroutines: a new weight is a new Table.
package router

import "net/netip"

// Buckets is the number of user buckets; one bucket is one basis point of the users.
const Buckets = 10_000

// Bucket is a user's place, 0..9999, the same in every process that knows the salt.
type Bucket uint16

// FlipsAt returns the smallest weight that sends the bucket to the canary, 1..10000.
func (b Bucket) FlipsAt() Weight { return Weight(b) + 1 }

// Arm indexes the arms of a split. Stable is the zero value: doubt goes to stable.
type Arm uint8

const (
	Stable Arm = iota
	Canary
)

// String returns the arm's name as headers, metrics and people know it.
func (a Arm) String() string {
	switch a {
	case Stable:
		return "stable"
	case Canary:
		return "canary"
	}
	return "unknown"
}

// Request is what routing sees of a request. The slices alias the caller's buffers and are not kept.
type Request struct {
	Method []byte
	Host   []byte     // authority as received, port included
	Path   []byte     // normalised copy for matching (NormalizePath), never forwarded
	Query  []byte     // raw, without the question mark
	Head   []byte     // raw field lines, each ended by CRLF, without request line and blank line
	Client netip.Addr // the believed client: the peer, or what a trusted proxy said
}
