package wire

// Outgoing is what the upstream writer adds to a request. Everything may alias long-lived memory; nothing is kept.
type Outgoing struct {
	Peer    []byte    // the connection's address in text without port, rendered once per connection; empty (unix socket): no X-Forwarded-For of ours
	Trusted bool      // Peer is a trusted proxy: its forwarding fields are kept and extended, else replaced
	TLS     bool      // the client's connection is TLS: X-Forwarded-Proto https
	Host    string    // Host for an HTTP/1.0 request without one, e.g. the server's address
	Random  [3]uint64 // fresh per request; names requests and traces that have no valid name
	Lines   []byte    // complete field lines appended verbatim (Serin-Rollout, Serin-Arm, flags): build with AppendField
	Drop    []string  // names to cut from what the client sent (flag headers); '_' in the client's name counts as '-'
	Keep    string    // the force header: survives the cut of Serin-* names; "" none
	Via     string    // pseudonym for a Via line; "" none
}

// AppendField appends "name: value\r\n", or nothing when name is no token or value holds a control character: for lines
// rendered at configuration time.
func AppendField(dst []byte, name, value string) []byte { panic("BUG: filled in next") }

// AppendRequest appends the upstream's request head to dst, blank line included. Body bytes follow with r.Framing
// unchanged (Body.Append, Pipe). No allocation when dst has room for the head and about 400 bytes more.
func AppendRequest(dst []byte, r *Request, o *Outgoing) []byte { panic("BUG: filled in next") }

// ViaSeen says whether r already passed a proxy that calls itself pseudonym: a loop (RFC 9110 7.6.3).
func (r *Request) ViaSeen(pseudonym string) bool { panic("BUG: filled in next") }
