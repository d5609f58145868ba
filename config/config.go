// Package config turns the bytes of one TOML file into a Plan, or into every problem the file has.
//
//	bytes -> tree (toml) + line of every key (index) -> Config (decode) -> Plan (build) + Timetable (check)
//
// The structs of this file are the only description of the configuration. A field's tags say what it is called, what it
// is when left out, what it may be and what it is for; decoding, unknown keys and their nearest neighbour, the reference
// (reference.md), the JSON schema and `serin config effective` are all made from them:
//
//	key       name in the file
//	default   value when left out, as in the file but without quotes; without this tag: off, none or required
//	required  must be there once its table is
//	enum      the words it may be
//	some      a list that is left out where all are meant, never empty
//	min, max  the range, in the field's own spelling
//	doc       what it does, and what follows from it
//
// A pointer is nil when the key is left out. The package is pure: it reads the world (files, environment) only through
// Options. Keys that later work brings are in notYet and are refused, never ignored.
package config

// Config is a file, decoded, with defaults filled in.
type Config struct {
	Listen   []ListenTable             `key:"listen" single:"true" doc:"Where clients come in: one [listen], or several [[listen]]. Without any, one plain listener with the defaults."`
	Limits   LimitsTable               `key:"limits" doc:"What the whole process may use."`
	Admin    AdminTable                `key:"admin" doc:"Where operators, probes and metrics come in."`
	State    StateTable                `key:"state" doc:"What must survive a restart."`
	Log      LogTable                  `key:"log" doc:"The daemon's own log and the access log."`
	Upstream map[string]*UpstreamTable `key:"upstream" doc:"A named pool of servers that run one version."`
	Route    map[string]*RouteTable    `key:"route" doc:"Which requests go where. No route at all: the only rollout takes every request."`
	Audience map[string]*AudienceTable `key:"audience" doc:"Some people, by what their requests say; a stage that names them sends them to the canary. A condition asks for one thing."`
	JWT      *JWTTable                 `key:"jwt" doc:"Who vouches for the claims that audiences and keys ask for."`
	Token    map[string]*TokenTable    `key:"token" doc:"Who may use the admin API. Until the first one is there, everybody on the loopback may do everything; then every call but the probes needs one, as Authorization: Bearer."`
	Notify   map[string]*NotifyTable   `key:"notify" doc:"Who is told, and how. A rollout names them in its notify."`
	Rollout  map[string]*RolloutTable  `key:"rollout" doc:"A release in progress: two upstreams, a key that keeps each user on one side, a ladder of stages, and gates that decide."`

	Flag       map[string]*FlagTable       `key:"flag" doc:"A feature flag that the same bucket decides as the route."`
	Experiment map[string]*ExperimentTable `key:"experiment" doc:"Arms with fixed shares that are compared with a control for a time. Nothing is promoted; guardrails can stop an arm."`
}

// ListenTable is [listen].
type ListenTable struct {
	Address        ListenAddress      `key:"address" default:":8080" doc:"HOST:PORT, unix:/PATH, or fd:NAME for a socket the service manager hands over."`
	TLS            *ServerTLSTable    `key:"tls" doc:"Serve TLS here. The files are read anew when they change."`
	TrustedProxies []ProxyAddress     `key:"trusted_proxies" doc:"Whose X-Forwarded-* fields and PROXY protocol are believed. Nobody else's are: the client is then the peer. \"unix:\" stands for whoever connects by the unix socket, which has no address; its PROXY protocol is believed anyway."`
	ProxyProtocol  Flag               `key:"proxy_protocol" default:"false" doc:"Trusted proxies begin each connection with a PROXY protocol head (version 1 or 2)."`
	Timeout        ListenTimeoutTable `key:"timeout" doc:"How long a client may take, each phase its own."`
	Limits         ListenLimitsTable  `key:"limits" doc:"What a client may ask for."`
	Hosts          []HostPattern      `key:"hosts" some:"true" doc:"Hosts served here, exact or *.example.com, whatever the port; others are answered 421. Default: every host. Probes that ask by address need theirs."`
	AmbiguousPaths Text               `key:"ambiguous_paths" default:"pass" enum:"pass|reject" doc:"Paths that two servers may read differently: encoded slashes, backslashes and NULs, bare backslashes, dot segments. pass: as they came, byte for byte; routes see the normal form. reject: 400."`
	Underscores    Text               `key:"underscores" default:"pass" enum:"pass|drop|reject" doc:"Field names with an underscore, which CGI and its kind take for a hyphen. pass: they go on, but those that would be taken for a field of framing, forwarding or Serin's are cut. drop: all are cut. reject: 400."`
	Via            Pseudonym          `key:"via" default:"false" doc:"Add a Via field to requests, under this name (true: serin), and answer 508 to requests that have it already: a loop. Proxies in a row need names of their own."`
	FastLane       Flag               `key:"fast_lane" default:"true" doc:"Plain requests take the short way; the behaviour is the same without it."`
	OFREP          FlagPath           `key:"ofrep" doc:"Answer flags here too, below this path, which ends in /ofrep: OpenFeature's web SDK asks at its base URL plus /ofrep. Without a token: anybody who can send requests can ask for any user's flags. The context's targetingKey is the user's key; its attribute serin may hold what the user's requests say besides, for audiences, such as {\"headers\": {\"X-Employee\": \"1\"}}, and host, path, query and client. Off unless given; the admin listener always answers."`
	OFREPOrigins   []Origin           `key:"ofrep_origins" doc:"Web pages of these origins, beside the listener's own, may read the answers: https://app.example.com, or * for all. Never with credentials."`
}

// ServerTLSTable is [listen] tls.
type ServerTLSTable struct {
	Cert     Text `key:"cert" required:"true" doc:"File with the certificate chain (PEM), relative to the configuration file."`
	Key      Text `key:"key" required:"true" doc:"File with the private key (PEM)."`
	ClientCA Text `key:"client_ca" doc:"File with the authorities (PEM) of client certificates. When given, a client without a valid certificate is refused."`
}

// ListenTimeoutTable is [listen] timeout.
type ListenTimeoutTable struct {
	Head       Duration `key:"head" default:"10s" min:"1ms" doc:"From the first byte of a request's head to its last; then 408."`
	BodyIdle   Duration `key:"body_idle" default:"30s" min:"1ms" doc:"Between two reads of a request's body."`
	KeepAlive  Duration `key:"keep_alive" default:"75s" min:"1ms" doc:"Between two requests on a connection; then it is closed."`
	WriteIdle  Duration `key:"write_idle" default:"30s" min:"1ms" doc:"Without a byte taken by a client that is waited for; then the connection is reset."`
	TunnelIdle Duration `key:"tunnel_idle" default:"1h" min:"1ms" doc:"Without a byte in either direction of an upgraded connection."`
}

// ListenLimitsTable is [listen] limits.
type ListenLimitsTable struct {
	Head        Size  `key:"head" default:"32KiB" min:"1KiB" max:"256KiB" doc:"Bytes of a request's head; then 431."`
	Target      Size  `key:"target" default:"16KiB" min:"256B" max:"256KiB" doc:"Bytes of a request's target; then 414. Not more than head."`
	Fields      Count `key:"fields" default:"100" min:"8" max:"10000" doc:"Fields in a request's head; then 431."`
	Body        Size  `key:"body" default:"0" doc:"Bytes of a request's body; then 413. 0 is no limit."`
	BodyRate    Size  `key:"body_rate" default:"64B" max:"1GiB" doc:"Bytes a second that a request's body must make, on average over timeout.body_idle of waiting for the client; then 408. 64B is 0.5 kbit/s, less than any link that works. An upload whose answer has begun may be slower. 0 is no bound."`
	WriteRate   Size  `key:"write_rate" default:"64B" max:"1GiB" doc:"Bytes a second that a client must take of its answers, or of a tunnel, while it is waited for: measured in the second half of timeout.write_idle and in each such half after; then the connection is reset. 0 is no bound but write_idle."`
	Requests    Count `key:"requests" default:"0" max:"1000000" doc:"Requests on one connection; the last is answered with Connection: close. 0 is no limit."`
	Connections Count `key:"connections" default:"0" doc:"Client connections at once. 0 takes it from the limit of open files."`
	PerIP       Count `key:"per_ip" default:"0" doc:"Connections of one address at once; more are answered 503 and closed, with TLS only closed. 0 is no limit."`
}

// LimitsTable is [limits].
type LimitsTable struct {
	Memory Size `key:"memory" default:"0" doc:"Memory of the process. From 85% of what the garbage collector is given (nine tenths of it) new requests are answered 503 with Retry-After, from 92% idle connections are closed too. 0 takes GOMEMLIMIT, else the control group's limit; without either there is none."`
}

// AdminTable is [admin].
type AdminTable struct {
	Address   AdminAddress    `key:"address" default:"127.0.0.1:9180" doc:"HOST:PORT or unix:/PATH. Off the loopback it needs admin.tls and a [token.NAME], else it is refused."`
	TLS       *ServerTLSTable `key:"tls" doc:"Serve the admin API by TLS. The files are read anew when they change."`
	PublicURL URL             `key:"public_url" doc:"Base of the links in notices."`
}

// StateTable is [state].
type StateTable struct {
	Dir Text `key:"dir" doc:"Directory of the journal, made with mode 0700, relative to the working directory. Default: $STATE_DIRECTORY, else serin-state."`
}

// LogTable is [log].
type LogTable struct {
	Level  Text         `key:"level" default:"info" enum:"debug|info|warn|error" doc:"Least level that is written."`
	Format Text         `key:"format" default:"auto" enum:"auto|json|text" doc:"auto is text on a terminal, else json."`
	Access *AccessTable `key:"access" doc:"Write a line for a sample of the requests. Off unless given."`
}

// AccessTable is [log] access.
type AccessTable struct {
	Path   Text  `key:"path" default:"stdout" doc:"stdout, stderr or a file."`
	Format Text  `key:"format" default:"json" enum:"json|clf|combined" doc:"Form of a line: JSON, the common log format, or the combined one. The last two end with the rollout and its arm."`
	Sample Share `key:"sample" default:"1%" doc:"Share of the requests written."`
	Errors Flag  `key:"errors" default:"true" doc:"Write every failed request, whatever the sample."`
	Key    Text  `key:"key" default:"hash" enum:"hash|off" doc:"hash: JSON lines carry a hash of the user's key, made with the rollout's salt; the key itself is never written."`
}

// UpstreamTable is [upstream.NAME].
type UpstreamTable struct {
	Servers  []Endpoint           `key:"servers" required:"true" doc:"The pool: HOST:PORT, https://HOST:PORT or unix:/PATH each. A name is looked up every 5 s, and each of its addresses is a server, 64 at most; the last good answer stays when the resolver fails."`
	Balance  Text                 `key:"balance" default:"p2c" enum:"p2c|round_robin|hash" doc:"p2c: the less busy of two at random. round_robin: in turn. hash: the same user, the same server."`
	Revision Text                 `key:"revision" doc:"What runs here. A new value on a rollout's canary is a new attempt from stage 1. Default: derived from the name and the servers."`
	Health   *HealthTable         `key:"health" doc:"Ask each server regularly. Off unless given: then a server counts as healthy until requests fail."`
	Eject    EjectTable           `key:"eject" doc:"Leave out a server whose requests keep failing."`
	Timeout  UpstreamTimeoutTable `key:"timeout" doc:"How long a server may take, each phase its own."`
	Retry    RetryTable           `key:"retry" doc:"Try again on another connection of the same pool: only what was never sent, or what is idempotent and has no body."`
	Limits   UpstreamLimitsTable  `key:"limits" doc:"What one pool may hold at once."`
	Capacity *Rate                `key:"capacity" min:"0.1rps" doc:"Requests per second that the pool carries. A weight never asks a canary's pool for more: the rollout holds until there is less traffic, or more capacity. What a rollback brings stable is only warned of. Default: not said, nothing is held back."`
	TLS      *ClientTLSTable      `key:"tls" doc:"For https servers: how to know them. Default: the system's authorities and the server's own name."`
}

// HealthTable is [upstream.NAME] health.
type HealthTable struct {
	Path      Text     `key:"path" required:"true" doc:"What is asked for with GET; 2xx and 3xx are healthy."`
	Every     Duration `key:"every" default:"2s" min:"10ms" doc:"Time between two checks of a server."`
	Timeout   Duration `key:"timeout" default:"1s" min:"1ms" doc:"After this a check has failed. Not longer than every."`
	Healthy   Count    `key:"healthy" default:"2" min:"1" max:"1000" doc:"Checks in a row that must succeed before a server takes traffic again."`
	Unhealthy Count    `key:"unhealthy" default:"3" min:"1" max:"1000" doc:"Checks in a row that must fail before a server takes none."`
}

// EjectTable is [upstream.NAME] eject.
type EjectTable struct {
	Consecutive Count    `key:"consecutive" default:"5" max:"1000000" doc:"Failures in a row that take a server out. 0 is never."`
	For         Duration `key:"for" default:"30s" min:"1ms" doc:"How long it stays out."`
	Max         Share    `key:"max" default:"50%" max:"50%" doc:"Largest part of the pool that may be out at once."`
}

// UpstreamTimeoutTable is [upstream.NAME] timeout.
type UpstreamTimeoutTable struct {
	Connect  Duration `key:"connect" default:"1s" min:"1ms" doc:"To an open connection, TLS included."`
	Response Duration `key:"response" default:"30s" min:"1ms" doc:"From the request sent to the response's head; then 504, and the gates count a timeout."`
	Idle     Duration `key:"idle" default:"5m" min:"1ms" doc:"Between two reads of a response's body."`
}

// RetryTable is [upstream.NAME] retry.
type RetryTable struct {
	Max    Count `key:"max" default:"1" max:"5" doc:"Further tries of one request. 0 is none."`
	Budget Share `key:"budget" default:"20%" doc:"Retries as a share of requests: a failing pool is not asked twice as much."`
}

// UpstreamLimitsTable is [upstream.NAME] limits.
type UpstreamLimitsTable struct {
	Connections Count `key:"connections" default:"1024" min:"1" max:"1000000" doc:"Connections to each server."`
	Queue       Count `key:"queue" default:"256" max:"1000000" doc:"Requests that may wait for one; more are answered 503, which counts against no arm."`
}

// ClientTLSTable is [upstream.NAME] tls.
type ClientTLSTable struct {
	CA         Text `key:"ca" doc:"File with the authorities (PEM) that sign the servers. Default: the system's."`
	ServerName Text `key:"server_name" doc:"Name to ask for and to check. Default: the server's own."`
	SkipVerify Flag `key:"skip_verify" default:"false" doc:"Believe any certificate: anyone in between can read and change the traffic."`
}

// RouteTable is [route.NAME].
type RouteTable struct {
	Host     []HostPattern `key:"host" some:"true" doc:"Hosts, exact or *.example.com. Default: every host."`
	Path     PathPattern   `key:"path" doc:"Exact, or a prefix with a star at the end; the longest prefix wins. Default, and the same as /*: every path, the star of OPTIONS * too."`
	Methods  []Method      `key:"methods" some:"true" doc:"Default: every method."`
	Headers  []FieldTable  `key:"headers" doc:"Fields a request must have, all of them."`
	Upstream Text          `key:"upstream" doc:"Where the requests go. A rollout that names this route replaces it: for everybody, or for the members of its audience."`
}

// FieldTable is one element of [route.NAME] headers.
type FieldTable struct {
	Header Header `key:"header" required:"true" doc:"Name of the field."`
	Is     Text   `key:"is" doc:"What it must be. Default: it need only be there."`
}
