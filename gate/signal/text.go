package signal

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

func cut(b []byte, sep byte) (before, after []byte) {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

func trim(b []byte) []byte { return bytes.Trim(b, " \t") }

// parseFloat reads a finite number.
func parseFloat(b []byte) (float64, error) {
	if len(b) > 32 {
		return 0, errors.New("too long for a number")
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = errors.New("not finite")
	}
	return v, err
}
