package router

// Match is what a request must be to take a route. Empty fields match everything.
type Match struct {
	Hosts   []string     // lower case, exact or "*.example.com"
	Path    string       // "/checkout/*" prefix or "/exact"; longest wins
	Methods []string     // upper case
	Headers []FieldMatch // all of them
}

// FieldMatch asks for a header field: present when Is is empty, else equal to Is.
type FieldMatch struct{ Name, Is string }

// Route is one configured way in.
type Route struct {
	Name     string
	Match    Match
	Upstream int    // upstream ID of a plain route; with a Split, its stable upstream
	Split    *Split // nil: plain
}

// KeySource says where a user's key is looked for.
type KeySource struct {
	Kind KeyKind
	Name string
}

// KeyKind is a place a key can come from.
type KeyKind uint8

const (
	KeyHeader KeyKind = iota
	KeyCookie
	KeyQuery
	KeyIP
	KeyMint // cookie Name, minted when absent
)

// Split is one rollout as routing sees it; immutable: a new weight is a new Split in a new Table.
type Split struct {
	ID        int    // index of the rollout in the plan
	Rollout   string // its name
	Upstreams [2]int // upstream IDs, index Arm
	Salt      uint64
	Keys      []KeySource // first present wins
	Force     string      // header that names an arm; "" off
	Weight    Weight
}

// Why says what decided a choice.
type Why uint8

const (
	ByWeight Why = iota
	ByForce      // never evidence
	ByNoKey      // stable, no evidence
	ByAudience
)

// Choice is one request's arm.
type Choice struct {
	Arm    Arm
	Bucket Bucket
	Why    Why
	Mint   string // name of the cookie to mint; the caller makes the key and calls ChooseKey
}

// Table is an immutable set of routes behind the proxy's one atomic pointer.
type Table struct{ routes []*Route }
