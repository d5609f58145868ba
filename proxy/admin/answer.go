package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxQuoted bounds what of a client's own text comes back in an error.
const maxQuoted = 80

// methods serves one path; a method it does not know is 405 with Allow, a nil one is 404.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m == nil {
		fail(w, http.StatusNotFound, "no such path "+quoted(r.URL.Path), "the API's paths are listed at /plain")
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h, ok := m[method]
	if !ok {
		allow := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, r.Method+" is not allowed on "+quoted(r.URL.Path), "use "+allow)
		return
	}
	h(w, r)
}

// answer writes v as JSON. What cannot be encoded is our bug and says so.
func answer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"error":"the answer cannot be encoded","hint":"this is a bug in serin"}` + "\n")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func fail(w http.ResponseWriter, status int, problem, hint string) {
	answer(w, status, Failure{Error: problem, Hint: hint})
}

// decode reads a JSON object into v. An empty body is the empty object; unknown fields, a second value and anything over
// 1 MiB are errors. It writes the failure itself and reports whether the handler may go on.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB", "nothing here needs as much")
		return false
	case err != nil:
		fail(w, http.StatusBadRequest, "the body could not be read", "it ended early or came too slowly")
		return false
	case len(bytes.TrimSpace(body)) == 0:
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		problem, hint := explainJSON(err, v)
		fail(w, http.StatusBadRequest, problem, hint)
		return false
	}
	if dec.More() {
		fail(w, http.StatusBadRequest, "the body holds more than one JSON value", "send one object")
		return false
	}
	return true
}

// explainJSON says what is wrong with a body in the words of the API.
func explainJSON(err error, v any) (problem, hint string) {
	known := fieldNames(v)
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		name, _ = strconv.Unquote(name)
		hint = "the fields are " + strings.Join(known, ", ")
		if near := nearest(name, known); near != "" {
			hint = "did you mean " + quoted(near) + "? " + hint
		}
		return "unknown field " + quoted(name), hint
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		if wrong.Field == "" {
			want := "an object"
			if wrong.Type.Kind() == reflect.Slice {
				want = "an array"
			}
			return "the body is a JSON " + wrong.Value + ", not " + want, "the fields are " + strings.Join(known, ", ")
		}
		return "field " + quoted(wrong.Field) + ": a JSON " + wrong.Value + " does not fit", "it takes " + kindText(wrong.Type)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return "the body is not JSON: " + syntax.Error() + " at byte " + strconv.FormatInt(syntax.Offset, 10), "the fields are " + strings.Join(known, ", ")
	}
	return "the body is not JSON: it ends early", "the fields are " + strings.Join(known, ", ")
}

func kindText(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Uint64:
		return "a whole number from 0"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "a " + t.Kind().String()
}

// fieldNames lists the JSON names of the struct v points to.
func fieldNames(v any) []string {
	t := reflect.TypeOf(v).Elem()
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// quoted shows a client's text safely: control bytes escaped, length bounded.
func quoted(s string) string {
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "..."
	}
	return strconv.Quote(s)
}
