package admin

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"serin/router"
)

const (
	parseError     = "PARSE_ERROR"
	invalidContext = "INVALID_CONTEXT"
)

// flagUser is whom flags are asked for.
type flagUser struct {
	key     string
	request *router.Request // what a request of his says besides the key; nil: nothing
}

// saying is what a context's serin may hold: what audiences look at, as GET /v1/explain is asked.
type saying struct {
	Headers map[string]string `json:"headers"`
	Host    string            `json:"host"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Client  string            `json:"client"`
}

// userOf reads a user from a request's body: {"context": {"targetingKey": "alice", "serin": {"headers": {...}}, ...}}.
func userOf(body io.Reader) (flagUser, *evaluationFailure) {
	text, err := io.ReadAll(body)
	if err != nil {
		return flagUser{}, &evaluationFailure{Code: parseError, Details: "the body could not be read, or is larger than 64 KiB"}
	}
	return userIn(text)
}

// userIn is userOf for a body that was read.
func userIn(text []byte) (flagUser, *evaluationFailure) {
	var request struct {
		Context json.RawMessage `json:"context"`
	}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &request); err != nil {
			return flagUser{}, &evaluationFailure{Code: parseError, Details: "the body is no JSON object with a context"}
		}
	}
	var context map[string]json.RawMessage
	if len(request.Context) > 0 {
		if err := json.Unmarshal(request.Context, &context); err != nil {
			return flagUser{}, &evaluationFailure{Code: invalidContext, Details: "the context is no JSON object"}
		}
	}
	given, ok := context["targetingKey"]
	if !ok || string(given) == "null" {
		return flagUser{}, &evaluationFailure{Code: "TARGETING_KEY_MISSING", Details: "the context needs a targetingKey: the user's key, as requests carry it"}
	}
	var who flagUser
	if err := json.Unmarshal(given, &who.key); err != nil {
		return flagUser{}, &evaluationFailure{Code: invalidContext, Details: "targetingKey is no text"}
	}
	if who.key == "" {
		return flagUser{}, &evaluationFailure{Code: "TARGETING_KEY_MISSING", Details: "targetingKey is empty"}
	}
	if says, ok := context["serin"]; ok && string(says) != "null" {
		var failure *evaluationFailure
		if who.request, failure = saidBy(says); failure != nil {
			return flagUser{}, failure
		}
	}
	return who, nil
}

// saidBy makes a request of what a context says of it.
func saidBy(text json.RawMessage) (*router.Request, *evaluationFailure) {
	var s saying
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, &evaluationFailure{Code: invalidContext, Details: `serin is what the user's requests say: {"headers": {"X-Employee": "1"}, "host": "", "path": "", "query": "", "client": ""}`}
	}
	ask := Ask{Host: s.Host, Path: s.Path, Query: s.Query, Client: s.Client}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		ask.Headers = append(ask.Headers, name+": "+s.Headers[name])
	}
	r, err := ask.Request()
	if err != nil {
		return nil, &evaluationFailure{Code: invalidContext, Details: "serin: " + err.Error()}
	}
	return r, nil
}
