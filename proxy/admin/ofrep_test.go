package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"serin/router"
	"serin/router/flag"
)

// fakeFlags has two flags; "alice" is on, and whose request has a header.
type fakeFlags struct{}

func (fakeFlags) Flags() []FlagState { return nil }

func (fakeFlags) Evaluate(name string, r *router.Request, key string) []FlagAnswer {
	var out []FlagAnswer
	for _, f := range []struct {
		name    string
		on, off any
	}{{"new-checkout", true, false}, {"limits", map[string]any{"items": int64(20)}, map[string]any{"items": int64(10)}}} {
		if name != "" && name != f.name {
			continue
		}
		a := FlagAnswer{Name: f.name, Owner: "checkout", Answer: flag.Answer{Value: f.off, Variant: "off", Reason: flag.Split}}
		if key == "alice" || r != nil && len(r.Head) > 0 {
			a.Value, a.Variant = f.on, "on"
		}
		out = append(out, a)
	}
	return out
}

func asked(t *testing.T, h http.Handler, path, body string, head ...string) *http.Response {
	t.Helper()
	method := "POST"
	if len(head) > 0 && head[0] == "OPTIONS" {
		method, head = head[0], head[1:]
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyText(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestOFREP_OneFlag_IsAnsweredInTheProtocolsWords(t *testing.T) {
	t.Parallel()
	h := OFREP(fakeFlags{}, "/ofrep", nil)
	f := func(path, body string, status int, want string) {
		t.Helper()
		r := asked(t, h, path, body)
		if got := bodyText(t, r); r.StatusCode != status || got != want {
			t.Errorf("%s %s: got %d %s, want %d %s", path, body, r.StatusCode, got, status, want)
		}
	}
	const one = "/ofrep/v1/evaluate/flags/new-checkout"
	f(one, `{"context":{"targetingKey":"alice","plan":"pro"}}`, 200,
		`{"key":"new-checkout","reason":"SPLIT","variant":"on","value":true,"metadata":{"rollout":"checkout"}}`)
	f(one, `{"context":{"targetingKey":"bob"}}`, 200,
		`{"key":"new-checkout","reason":"SPLIT","variant":"off","value":false,"metadata":{"rollout":"checkout"}}`)
	f("/ofrep/v1/evaluate/flags/none", `{"context":{"targetingKey":"bob"}}`, 404,
		`{"key":"none","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag \"none\""}`)
	missing := `{"key":"new-checkout","errorCode":"TARGETING_KEY_MISSING","errorDetails":"the context needs a targetingKey: the user's key, as requests carry it"}`
	f(one, ``, 400, missing)
	f(one, `{}`, 400, missing)
	f(one, `{"context":{"targetingKey":null}}`, 400, missing)
	f(one, `{"context":{"targetingKey":""}}`, 400, `{"key":"new-checkout","errorCode":"TARGETING_KEY_MISSING","errorDetails":"targetingKey is empty"}`)
	f(one, `{"context":{"targetingKey":"bob","serin":{"headers":{"X-Employee":"1"}}}}`, 200,
		`{"key":"new-checkout","reason":"SPLIT","variant":"on","value":true,"metadata":{"rollout":"checkout"}}`)
	f(one, `{"context":{"targetingKey":"bob","serin":{"header":{"X-Employee":"1"}}}}`, 400, `{"key":"new-checkout","errorCode":"INVALID_CONTEXT","errorDetails":"serin is what the user's requests say: {\"headers\": {\"X-Employee\": \"1\"}, \"host\": \"\", \"path\": \"\", \"query\": \"\", \"client\": \"\"}"}`)
	f(one, `{"context":{"targetingKey":"bob","serin":{"headers":{"X-A":"1\r\nX-Employee: 1"}}}}`, 400, `{"key":"new-checkout","errorCode":"INVALID_CONTEXT","errorDetails":"serin: a header is written \"Name: value\""}`)
	f(one, `{"context":{"targetingKey":"bob","serin":{"client":"here"}}}`, 400, `{"key":"new-checkout","errorCode":"INVALID_CONTEXT","errorDetails":"serin: client \"here\" is no address"}`)
	f(one, `{"context":{"targetingKey":7}}`, 400, `{"key":"new-checkout","errorCode":"INVALID_CONTEXT","errorDetails":"targetingKey is no text"}`)
	f(one, `{"context":[]}`, 400, `{"key":"new-checkout","errorCode":"INVALID_CONTEXT","errorDetails":"the context is no JSON object"}`)
	f(one, `{"context"`, 400, `{"key":"new-checkout","errorCode":"PARSE_ERROR","errorDetails":"the body is no JSON object with a context"}`)
	f(one, `{"context":{"targetingKey":"`+strings.Repeat("x", maxContextBytes)+`"}}`, 400,
		`{"key":"new-checkout","errorCode":"PARSE_ERROR","errorDetails":"the body could not be read, or is larger than 64 KiB"}`)
}

func TestOFREP_AllFlags_HaveATagThatChangesWithTheValuesAlone(t *testing.T) {
	t.Parallel()
	h := OFREP(fakeFlags{}, "/flags/ofrep", nil)
	const all = "/flags/ofrep/v1/evaluate/flags"
	first := asked(t, h, all, `{"context":{"targetingKey":"alice"}}`)
	var list struct{ Flags []evaluation }
	if err := json.Unmarshal([]byte(bodyText(t, first)), &list); err != nil || first.StatusCode != 200 || len(list.Flags) != 2 {
		t.Fatalf("got %d, %v, %v", first.StatusCode, list, err)
	}
	tag := first.Header.Get("ETag")
	f := func(key, given string, status int) {
		t.Helper()
		r := asked(t, h, all, `{"context":{"targetingKey":"`+key+`"}}`, "If-None-Match", given)
		if body := bodyText(t, r); r.StatusCode != status || (status == 304) != (body == "") || r.Header.Get("ETag") == "" {
			t.Errorf("%s with %s: got %d %q, want %d", key, given, r.StatusCode, body, status)
		}
	}
	f("alice", tag, 304)
	f("alice", `"other", W/`+tag, 304)
	f("alice", "*", 304)
	f("alice", `"other"`, 200)
	f("bob", tag, 200)
	if r := asked(t, h, all, `{}`); r.StatusCode != 400 || bodyText(t, r) != `{"errorCode":"TARGETING_KEY_MISSING","errorDetails":"the context needs a targetingKey: the user's key, as requests carry it"}` {
		t.Errorf("without a key: got %d", r.StatusCode)
	}
	if r := asked(t, h, "/ofrep/v1/evaluate/flags", `{}`); r.StatusCode != 404 {
		t.Errorf("outside the prefix: got %d, want 404", r.StatusCode)
	}
}

func TestOFREP_PagesOfOtherOrigins_ReadAnswersOnlyWhenNamed(t *testing.T) {
	t.Parallel()
	const all, app = "/ofrep/v1/evaluate/flags", "https://app.example.com"
	f := func(origins []string, origin, want string) {
		t.Helper()
		h := OFREP(fakeFlags{}, "/ofrep", origins)
		r := asked(t, h, all, `{"context":{"targetingKey":"alice"}}`, "Origin", origin)
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != want || r.StatusCode != 200 {
			t.Errorf("%v, %s: got %q and %d, want %q", origins, origin, got, r.StatusCode, want)
		}
		pre := asked(t, h, all, "", "OPTIONS", "Origin", origin, "Access-Control-Request-Method", "POST")
		if got := pre.Header.Get("Access-Control-Allow-Headers"); pre.StatusCode != 204 || (got != "") != (want != "") {
			t.Errorf("%v, preflight of %s: got %d and %q", origins, origin, pre.StatusCode, got)
		}
	}
	f([]string{app}, app, app)
	f([]string{"*"}, app, app)
	f([]string{app}, "https://evil.example", "")
	f(nil, app, "")
}

func FuzzOFREP_AnyBody_IsAKeyOrAProtocolsError(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"context":{"targetingKey":"alice"}}`, `{"context":[1]}`, `{"context":{"targetingKey":"a","serin":{"headers":{"X-A":"1"},"client":"::1"}}}`, `{"context":{"targetingKey":{}}}`, "\x00", `[]`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		who, failure := userIn(body)
		key := who.key
		if (key == "") != (failure != nil) {
			t.Fatalf("%q: got key %q and %v", body, key, failure)
		}
		if failure == nil {
			return
		}
		switch failure.Code {
		case "PARSE_ERROR", "INVALID_CONTEXT", "TARGETING_KEY_MISSING":
		default:
			t.Fatalf("%q: got code %q", body, failure.Code)
		}
	})
}
