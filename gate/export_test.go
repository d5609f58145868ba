package gate

import (
	"maps"
	"slices"
)

// Reasons are all reason codes, sorted, for the tests that stand outside.
func Reasons() []Reason { return slices.Sorted(maps.Keys(reasonTexts)) }
