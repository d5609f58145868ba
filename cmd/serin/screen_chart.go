package main

import "strings"

// levels draw a value in eighths of a line.
var levels = []rune("▁▂▃▄▅▆▇█")

// spark draws the last values that fit into width columns, from 0 to top; a nil value, where nothing was measured, is a
// gap, because no traffic is not zero errors.
func spark(values []*float64, width int, top float64) string {
	if len(values) > width {
		values = values[len(values)-width:]
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case v == nil:
			b.WriteRune(' ')
		case top <= 0:
			b.WriteRune(levels[0])
		default:
			i := int(*v / top * float64(len(levels)))
			b.WriteRune(levels[max(0, min(i, len(levels)-1))])
		}
	}
	return b.String()
}

// highest is the largest value of all lists; 0 without any.
func highest(lists ...[]*float64) float64 {
	top := 0.0
	for _, list := range lists {
		for _, v := range list {
			if v != nil && *v > top {
				top = *v
			}
		}
	}
	return top
}

// gauge fills width columns to a share of 0 to 1.
func gauge(share float64, width int) string {
	full := max(0, min(width, int(share*float64(width)+.5)))
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}
