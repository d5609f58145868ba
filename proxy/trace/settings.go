package trace

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Settings are what the OTEL_* variables say.
type Settings struct {
	Endpoint    string // where traces are posted, the path included
	Headers     map[string]string
	Timeout     time.Duration // of one POST
	Gzip        bool
	Service     string
	Attributes  []Attribute // of the resource, beside service.name
	ParentBased bool        // a caller's decision counts
	Ratio       float64     // of the traces that begin here, 0 to 1
	Queue       int         // requests waiting to be sent
	Batch       int         // spans in one POST
	Delay       time.Duration
}

// Collector names where spans go, without what the address may have of credentials.
func (s *Settings) Collector() string {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// Attribute is one of the resource's.
type Attribute struct{ Name, Value string }

// FromEnv reads the settings. ok is false where no spans are asked for: no endpoint is named, or one of
// OTEL_SDK_DISABLED=true and OTEL_TRACES_EXPORTER=none. The error names every variable whose value is of no use.
func FromEnv(getenv func(string) string) (s Settings, ok bool, err error) {
	exporter := getenv("OTEL_TRACES_EXPORTER")
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if base := getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint == "" && base != "" {
		endpoint = strings.TrimSuffix(base, "/") + "/v1/traces"
	}
	if endpoint == "" && exporter == "otlp" {
		endpoint = "http://localhost:4318/v1/traces"
	}
	if endpoint == "" || exporter == "none" || strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return Settings{}, false, nil
	}
	r := reader{getenv: getenv}
	r.check("OTEL_TRACES_EXPORTER", exporter == "" || exporter == "otlp", "otlp or none")
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		if strings.ContainsAny(endpoint, "@?") { // what may be credentials is not repeated
			endpoint = "..."
		}
		r.refuse("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "http://HOST:4318 or https://HOST:4318")
	}
	protocol := r.of("PROTOCOL")
	if protocol != "" && protocol != "http/protobuf" {
		r.refuse("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "http/protobuf, the only one that serin speaks")
	}
	compression := r.of("COMPRESSION")
	if compression != "" && compression != "gzip" && compression != "none" {
		r.refuse("OTEL_EXPORTER_OTLP_COMPRESSION", compression, "gzip or none")
	}
	s = Settings{
		Endpoint: endpoint, Gzip: compression == "gzip", Headers: r.headers(), Service: "serin",
		Timeout: r.millis("OTEL_EXPORTER_OTLP_TIMEOUT", r.of("TIMEOUT"), 10*time.Second),
		Queue:   r.count("OTEL_BSP_MAX_QUEUE_SIZE", 2048), Batch: r.count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
		Delay: r.millis("OTEL_BSP_SCHEDULE_DELAY", getenv("OTEL_BSP_SCHEDULE_DELAY"), 5*time.Second),
	}
	s.ParentBased, s.Ratio = r.sampler()
	s.Service, s.Attributes = r.resource()
	return s, true, r.err
}

// reader collects what is wrong.
type reader struct {
	getenv func(string) string
	err    error
}

func (r *reader) refuse(name, value, want string) {
	r.err = errors.Join(r.err, fmt.Errorf("%s=%q: want %s", name, value, want))
}

func (r *reader) check(name string, fine bool, want string) {
	if !fine {
		r.refuse(name, r.getenv(name), want)
	}
}

// of is an exporter's variable: the one for traces goes before the one for all signals.
func (r *reader) of(what string) string {
	if v := r.getenv("OTEL_EXPORTER_OTLP_TRACES_" + what); v != "" {
		return v
	}
	return r.getenv("OTEL_EXPORTER_OTLP_" + what)
}

func (r *reader) millis(name, text string, otherwise time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		r.refuse(name, text, "milliseconds, 1 or more")
		return otherwise
	}
	return time.Duration(n) * time.Millisecond
}

func (r *reader) count(name string, otherwise int) int {
	text := r.getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1<<20 {
		r.refuse(name, text, "a number from 1 to 1048576")
		return otherwise
	}
	return n
}

// headers are "name=value,name=value", percent-encoded (as W3C Baggage). A refusal does not repeat them: they are secrets.
func (r *reader) headers() map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(r.of("HEADERS"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		name = strings.TrimSpace(name)
		if !ok || err != nil || name == "" || strings.ContainsAny(name+value, "\r\n\x00") {
			r.refuse("OTEL_EXPORTER_OTLP_HEADERS", "...", "name=value,name=value with values percent-encoded")
			continue
		}
		out[http.CanonicalHeaderKey(name)] = value
	}
	return out
}

func (r *reader) sampler() (parentBased bool, ratio float64) {
	name, ratio := r.getenv("OTEL_TRACES_SAMPLER"), 1.0
	kind, parentBased := strings.CutPrefix(name, "parentbased_")
	switch kind {
	case "":
		r.check("OTEL_TRACES_SAMPLER", !parentBased, "a sampler after parentbased_")
		return true, 1
	case "always_on":
	case "always_off":
		ratio = 0
	case "traceidratio":
		if text := r.getenv("OTEL_TRACES_SAMPLER_ARG"); text != "" {
			v, err := strconv.ParseFloat(text, 64)
			r.check("OTEL_TRACES_SAMPLER_ARG", err == nil && v >= 0 && v <= 1, "a share from 0 to 1")
			if err == nil {
				ratio = v
			}
		}
	default:
		r.refuse("OTEL_TRACES_SAMPLER", name, "always_on, always_off or traceidratio, with parentbased_ before it or without")
	}
	return parentBased, ratio
}

// resource is who sends: OTEL_SERVICE_NAME goes before service.name among OTEL_RESOURCE_ATTRIBUTES.
func (r *reader) resource() (service string, out []Attribute) {
	service = "serin"
	for pair := range strings.SplitSeq(r.getenv("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		name = strings.TrimSpace(name)
		switch {
		case strings.TrimSpace(pair) == "":
		case !ok || err != nil || name == "":
			r.refuse("OTEL_RESOURCE_ATTRIBUTES", pair, "name=value,name=value with values percent-encoded")
		case name == "service.name":
			service = value
		default:
			out = append(out, Attribute{name, value})
		}
	}
	if name := r.getenv("OTEL_SERVICE_NAME"); name != "" {
		service = name
	}
	return service, out
}
