//go:build race

package main

// raceDetector: serin is built as its tests are.
const raceDetector = true
