package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// The OpenFeature Remote Evaluation Protocol, version 0.3.0 (github.com/open-feature/protocol, service/openapi.yaml): one flag,
// or all of them with an ETag. The context's targetingKey is the user's key, and its serin what the user's requests say besides,
// for audiences; whatever else the context says is not looked at, because requests are not routed by it.

// maxContextBytes bounds a request's body where anybody may ask.
const maxContextBytes = 64 << 10

// ofrepPath is where SDKs look below their base URL.
const ofrepPath = "/ofrep/v1/evaluate/flags"

// evaluation is a flag's value in the protocol's words.
type evaluation struct {
	Key      string            `json:"key"`
	Reason   string            `json:"reason"`
	Variant  string            `json:"variant"`
	Value    any               `json:"value"`
	Metadata map[string]string `json:"metadata"`
}

// evaluationFailure is why there is none. Key is left out where the whole request has failed.
type evaluationFailure struct {
	Key     string `json:"key,omitempty"`
	Code    string `json:"errorCode"`
	Details string `json:"errorDetails"`
}

// OFREP answers the protocol below prefix, which stands for /ofrep. Web pages of other origins may ask when origins names
// them; "*" is all. It needs no token and has no effects: it says what a user would find out by asking the service.
func OFREP(flags Flags, prefix string, origins []string) http.Handler {
	o := &ofrep{flags: flags, origins: origins}
	mux := http.NewServeMux()
	path := prefix + strings.TrimPrefix(ofrepPath, "/ofrep")
	mux.Handle(path, o.shared(methods{"POST": o.bulk}))
	mux.Handle(path+"/{flag}", o.shared(methods{"POST": o.single}))
	mux.Handle("/", methods(nil))
	return mux
}

// evaluateFlags is the protocol on the admin listener, which has guards of its own.
func (s *Server) evaluateFlags(w http.ResponseWriter, r *http.Request) {
	o := &ofrep{flags: s.o.Flags}
	switch {
	case s.o.Flags == nil:
		fail(w, http.StatusNotFound, "there are no flags", "")
	case r.PathValue("flag") != "":
		o.single(w, r)
	default:
		o.bulk(w, r)
	}
}

type ofrep struct {
	flags   Flags
	origins []string
}

// shared lets pages of the origins named read the answers (Fetch standard, section 3.2), and answers their preflights.
func (o *ofrep) shared(next methods) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxContextBytes)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		allowed := origin != "" && (slices.Contains(o.origins, origin) || slices.Contains(o.origins, "*"))
		if allowed {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "ETag")
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			if allowed {
				w.Header().Set("Access-Control-Allow-Methods", "POST")
				w.Header().Set("Access-Control-Allow-Headers", "Content-Type, If-None-Match")
				w.Header().Set("Access-Control-Max-Age", "600")
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// single evaluates one flag.
func (o *ofrep) single(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("flag")
	who, failure := userOf(r.Body)
	if failure != nil && failure.Code == parseError {
		failure.Key = name
		answer(w, http.StatusBadRequest, failure)
		return
	}
	found := o.flags.Evaluate(name, who.request, who.key)
	switch {
	case len(found) == 0:
		answer(w, http.StatusNotFound, evaluationFailure{Key: name, Code: "FLAG_NOT_FOUND", Details: "there is no flag " + quoted(name)})
	case failure != nil:
		failure.Key = name
		answer(w, http.StatusBadRequest, failure)
	default:
		answer(w, http.StatusOK, evaluationOf(found[0]))
	}
}

// bulk evaluates all flags. The ETag is of the answer, so it changes with any value of this user and with nothing else.
func (o *ofrep) bulk(w http.ResponseWriter, r *http.Request) {
	who, failure := userOf(r.Body)
	if failure != nil {
		answer(w, http.StatusBadRequest, failure)
		return
	}
	list := []evaluation{}
	for _, a := range o.flags.Evaluate("", who.request, who.key) {
		list = append(list, evaluationOf(a))
	}
	body, err := json.Marshal(map[string]any{"flags": list})
	if err != nil {
		fail(w, http.StatusInternalServerError, "the flags cannot be encoded", "this is a bug in serin")
		return
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", etag)
	if matches(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(append(body, '\n'))
}

func evaluationOf(a FlagAnswer) evaluation {
	return evaluation{
		Key: a.Name, Reason: string(a.Reason), Variant: a.Variant, Value: a.Value, Metadata: map[string]string{"rollout": a.Owner},
	}
}

// matches reports whether an If-None-Match names the tag; weak tags count (RFC 9110, section 13.1.2).
func matches(lines []string, etag string) bool {
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == etag {
				return true
			}
		}
	}
	return false
}
