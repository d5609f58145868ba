package config

// AudienceTable is [audience.NAME].
type AudienceTable struct {
	Any   []PredicateTable `key:"any" single:"true" doc:"One of these must hold."`
	All   []PredicateTable `key:"all" single:"true" doc:"All of these must hold."`
	Not   []PredicateTable `key:"not" single:"true" doc:"None of these may hold."`
	Share *Weight          `key:"share" min:"0.01%" doc:"Of the people that the conditions leave, only this share, by buckets of the audience's own: the same people in every rollout. Default: everybody."`
	Salt  *Salt            `key:"salt" doc:"What makes the share's buckets its own. A secret where users could pick their bucket. Default: the audience's name."`
}

// PredicateTable is one condition of [audience.NAME].
type PredicateTable struct {
	Header   *Header       `key:"header" doc:"A field of the request: there, or what is says."`
	Cookie   *Text         `key:"cookie" doc:"A cookie: there, or what is says."`
	Query    *Text         `key:"query" doc:"A parameter of the query: there, or what is says."`
	Claim    *Text         `key:"claim" doc:"A claim of a token that [jwt] verifies: there, or what is says, or a list with that in it. Who sends a token that does not verify is no member."`
	Is       *Text         `key:"is" doc:"What the header, cookie, parameter or claim must be, exactly. Default: it need only be there."`
	CIDR     []Prefix      `key:"cidr" doc:"Networks, one of which has the client's address."`
	Host     []HostPattern `key:"host" doc:"Hosts, one of which is asked for: exact or *.example.com."`
	Path     *PathPattern  `key:"path" doc:"Exact, or a prefix with a star at the end."`
	KeyFile  *Text         `key:"key_file" doc:"File of users' keys, one a line, # begins a comment; at most 16 MiB and a million keys. Read anew when it changes; a file that cannot be used leaves the last good one in force."`
	Share    *Weight       `key:"share" min:"0.01%" doc:"This share of everybody, by the audience's own buckets."`
	Audience *Text         `key:"audience" doc:"The members of another audience."`
}

// JWTTable is [jwt].
type JWTTable struct {
	Key    SecretRef `key:"key" required:"true" doc:"What tokens are verified with: public keys in PEM (RSA: RS256, P-256: ES256, Ed25519: EdDSA; any of several will do), or a secret of at least 32 bytes (HS256). The key fixes the algorithm, never the token. A file is read anew when it changes."`
	Header Header    `key:"header" default:"Authorization" doc:"Field that carries the token, after \"Bearer \" where that is there; in Authorization it must be."`
	Cookie *Text     `key:"cookie" doc:"Cookie that carries the token, in place of a field."`
	Issuer *Text     `key:"issuer" doc:"The token's iss must be this. Default: any."`
	Aud    *Text     `key:"aud" doc:"The token's aud must be this, or have it. Default: any."`
}

// SecretRef is a secret by where it is: never in the file itself.
type SecretRef struct{ Secret }

func (r *SecretRef) decode(raw any) (err error) {
	r.Secret, err = decodeSecret(raw)
	return err
}

func (SecretRef) unit() string    { return "secret" }
func (SecretRef) pattern() string { return "" }
