// Package chaos breaks things around serin and looks at what its users see. Its tests run the built binary as a process
// of its own; services, clients and the faults between them live in the test.
//
//	crowd  ->  serin (process)  ->  toxiproxy  ->  service v1, v2 (net/http, gorilla, coder)
//	  |           ^    ^                              |
//	  |    signals|    |admin API: weights, reloads   | what arrived, by id
//	  +---- ledger ----+------ decisions -------------+----> explain every request, hold the invariants
//
// A request carries an id from which its answer follows byte for byte. When a storm is over, the ledger of what clients
// saw, the record of what services received, the faults that were made and the journalled decisions are laid side by
// side: whatever has no explanation is a failure. Seen from outside are these of the invariants:
//
//	I1  no request is lost that a healthy server could answer       I6  reloads and restarts drop nothing
//	I2  nothing that is not idempotent arrives twice                I7  memory, goroutines, descriptors come back
//	I3  users change arm by decisions only                          I9  the client's failures are no arm's
//	I4  the weight is never above the last decided                  I10 answers are complete or visibly broken
//
// Plain `go test` runs everything small. `make chaos` and `make soak` run it at full size; -chaos.seed repeats a storm.
package chaos
