package wire

// Field is one field line as offsets into the buffer that was parsed; immutable until the next Parse.
type Field struct {
	Start    uint32 // first byte of the name
	NameEnd  uint32 // the colon
	Value    uint32 // first byte of the value, OWS skipped
	ValueEnd uint32 // one past the value, OWS trimmed
	End      uint32 // one past the line's CRLF
	kind     kind
}

type kind uint8

// Request is one parsed request head. Reuse one per connection: Parse resets it. All slices alias the buffer given to
// Parse and are valid until the buffer changes. Not safe for concurrent use.
type Request struct {
	Method []byte  // a token, case kept
	Target []byte  // as received, never normalised
	Path   []byte  // raw path of Target ("/" for an absolute form without one, "*" for OPTIONS *)
	Query  []byte  // raw, without '?'
	Host   []byte  // the effective authority: absolute form's, else the Host field's; nil with HTTP/1.0 without Host
	Head   []byte  // raw field lines, each ended by CRLF: router.Request.Head
	Fields []Field // in order of arrival

	HTTP10        bool    // the client speaks HTTP/1.0
	Framing       Framing // NoBody, Length or Chunked
	ContentLength int64   // with Length, else 0
	KeepAlive     bool    // the client lets the connection live
	Expect100     bool    // waits for 100 (Continue) and has a body
	Upgrade       bool    // a well-formed request to switch to websocket; any other upgrade is cut
	Trailers      bool    // said TE: trailers
	Absolute      bool    // target was in absolute form
	MaxForwards   int     // of OPTIONS, -1 without; 0: answer it yourself
	IsHead        bool    // method is HEAD
	Idempotent    bool    // GET, HEAD, OPTIONS, PUT, DELETE (RFC 9110 9.2.2)
	Simple        bool    // Path holds no '%', no empty or dot segment: it is its own normal form
	Plain         bool    // performance.md section 2: needs no second opinion

	buf     []byte
	scanned int
}

// Reset forgets a head that was only partly received. Keeps the memory of Fields.
func (r *Request) Reset() {}

// Parse reads a request head at the start of buf: n > 0 is its length, leading empty lines included; n == 0 with a nil
// error asks for more bytes (call again with the same bytes and more behind them: work is not repeated). The error is an
// *Error, found as early as the bytes allow; after it the connection must be closed. lim may be nil.
func (r *Request) Parse(buf []byte, lim *Limits) (n int, err error) { panic("BUG: filled in next") }

// SecondOpinion reads the head that Parse accepted with fasthttp's parser; both must agree on method, target, host and
// framing, else the error is an *Error 400. Call it when Plain is false (or always, with fast_lane = false).
func (r *Request) SecondOpinion() error { panic("BUG: filled in next") }

// Value returns the value of the first field called name (ASCII case-insensitive), nil without one, empty and non-nil
// for an empty value.
func (r *Request) Value(name string) []byte { panic("BUG: filled in next") }

// WantsJSON says whether Accept names application/json, for error answers.
func (r *Request) WantsJSON() bool { panic("BUG: filled in next") }

// Asked is what the response reader must know of the request.
type Asked struct {
	Head    bool // HEAD: no body whatever the fields say
	Upgrade bool // websocket was asked for and forwarded: 101 is allowed
}

// Asked summarises r for Response.Parse.
func (r *Request) Asked() Asked { return Asked{Head: r.IsHead, Upgrade: r.Upgrade} }
