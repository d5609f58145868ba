package wire

// Error is a refusal or a protocol violation. All values are predeclared; compare by Reason or pass to AppendError.
// Parsers return it as the error's dynamic type, always a pointer.
type Error struct {
	Status int    // what the client is told: 400..417, 431, 501, 505 for its own faults; 502 for the upstream's
	Reason string // stable code, snake_case, bounded set: fit for metrics and logs
	Text   string // one sentence for people
	Close  bool   // the connection can't be used for another message
}

// Error implements error.
func (e *Error) Error() string { return e.Reason + ": " + e.Text }

// AppendError appends a complete response to dst: status line, Content-Type, Content-Length, Connection: close if close,
// Retry-After: 1 with 503, Allow with 405, and a one-line body, as JSON (`{"error": ...}`) or text. headOnly leaves the
// body out (the answer to HEAD). Any status is allowed, reason is a stable code such as Error.Reason.
func AppendError(dst []byte, status int, reason, text string, json, closing, headOnly bool) []byte {
	panic("BUG: filled in next")
}
