package shadow

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"
)

func jsonAnswer(body string) *Answer {
	return &Answer{Status: 200, Headers: [][]byte{[]byte("application/json")}, Type: []byte("application/json; charset=utf-8"), Body: []byte(body)}
}

func texts(list []Difference) string {
	var out []string
	for _, d := range list {
		out = append(out, string(d.Kind)+" "+d.Field)
	}
	return strings.Join(out, ", ")
}

func TestCompare_JSON_FieldByField(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, stable, canary, want string }{
		{"the same bytes", `{"a":1}`, `{"a":1}`, ""},
		{"another order and spacing", `{"a":1,"b":[1,2]}`, `{ "b": [1, 2], "a": 1 }`, ""},
		{"numbers written otherwise", `{"a":1.0,"b":100}`, `{"a":1,"b":1e2}`, ""},
		{"large whole numbers are not floats", `{"a":9007199254740993}`, `{"a":9007199254740992}`, "value $.a"},
		{"another value", `{"a":{"b":"x"}}`, `{"a":{"b":"y"}}`, "value $.a.b"},
		{"another type", `{"a":"1"}`, `{"a":1}`, "type $.a"},
		{"null is a type", `{"a":null}`, `{"a":false}`, "type $.a"},
		{"a field gone and one new", `{"a":1}`, `{"b":1}`, "missing $.a, added $.b"},
		{"elements are one field", `[{"p":1},{"p":2},{"p":3}]`, `[{"p":2},{"p":3},{"p":4}]`, "value $[].p"},
		{"a shorter list", `{"l":[1,2,3]}`, `{"l":[1,2]}`, "length $.l"},
		{"keys that are people", `{"users":{"bob@example.com":1}}`, `{"users":{"bob@example.com":2}}`, "value $.users.*"},
		{"no JSON any more", `{"a":1}`, `<html>`, "type body"},
		{"neither is JSON", `<a>`, `<b>`, "value body"},
		{"something behind the document", `{} {}`, `{} []`, "value body"},
	}
	r := &Rules{Headers: []string{"Content-Type"}, Seed: maphash.MakeSeed()}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := texts(r.Compare(jsonAnswer(tt.stable), jsonAnswer(tt.canary))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCompare_StatusAndHeaders(t *testing.T) {
	t.Parallel()
	r := &Rules{Headers: []string{"Content-Type", "Location"}, Values: true}
	a := func(status int, kind, location, body string) *Answer {
		out := &Answer{Status: status, Headers: [][]byte{[]byte(kind), nil}, Type: []byte(kind), Body: []byte(body)}
		if location != "" {
			out.Headers[1] = []byte(location)
		}
		return out
	}
	f := func(x, y *Answer, want string) {
		t.Helper()
		if got := texts(r.Compare(x, y)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(a(200, "text/plain", "", "x"), a(500, "text/html", "", "y"), "value status")
	f(a(302, "text/plain", "/a", ""), a(302, "text/plain", "/b", ""), "value header Location")
	f(a(302, "text/plain", "/a", ""), a(302, "text/plain", "", ""), "missing header Location")
	f(a(200, "text/plain", "", ""), a(200, "text/plain", "/b", ""), "added header Location")
	f(a(200, "text/plain", "", "1"), a(200, "application/json", "", "1"), "value header Content-Type")
	got := r.Compare(a(200, "a/b", "", strings.Repeat("é\n", 90)), a(200, "a/b", "", "x"))
	if len(got) != 1 || len(got[0].Stable) > maxShown+3 || strings.Contains(got[0].Stable, "\n") || got[0].Canary != "x" {
		t.Errorf("values shown as %+v", got)
	}
}

func TestRules_IgnoreAndTolerances(t *testing.T) {
	t.Parallel()
	r := &Rules{Ignore: []string{"$.at", "$.items[].id", "header Date", "body"}, Numbers: .01, Times: 2 * time.Second, Seed: maphash.MakeSeed()}
	f := func(x, y, want string) {
		t.Helper()
		if got := texts(r.Compare(jsonAnswer(x), jsonAnswer(y))); got != want {
			t.Errorf("%s, %s: got %q, want %q", x, y, got, want)
		}
	}
	r.Headers = nil
	f(`{"at":{"s":1},"attic":1}`, `{"at":{"s":2},"attic":2}`, "value $.attic")
	f(`{"items":[{"id":1,"n":1}]}`, `{"items":[{"id":2,"n":2}]}`, "value $.items[].n")
	f(`{"n":100}`, `{"n":100.9}`, "")
	f(`{"n":100}`, `{"n":102}`, "value $.n")
	f(`{"t":"2026-11-20T10:00:00Z"}`, `{"t":"2026-11-20T11:00:01+01:00"}`, "")
	f(`{"t":"2026-11-20T10:00:00Z"}`, `{"t":"2026-11-20T10:00:03Z"}`, "value $.t")
	f(`{"t":"yesterday evening, late"}`, `{"t":"tomorrow in the morning"}`, "value $.t")
	f(`<a>`, `<b>`, "")
}

func TestCompare_ManyDifferences_AreBounded(t *testing.T) {
	t.Parallel()
	var x, y strings.Builder
	for i := range 500 {
		fmt.Fprintf(&x, ",%q:1", strings.Repeat("k", 1+i%38)+string(rune('a'+i%26)))
		fmt.Fprintf(&y, ",%q:2", strings.Repeat("k", 1+i%38)+string(rune('a'+i%26)))
	}
	r := &Rules{Seed: maphash.MakeSeed()}
	if got := r.Compare(jsonAnswer("{"+x.String()[1:]+"}"), jsonAnswer("{"+y.String()[1:]+"}")); len(got) != maxDifferences {
		t.Errorf("got %d differences", len(got))
	}
	deep := func(v string) string { return strings.Repeat("[", 200) + v + strings.Repeat("]", 200) }
	r.Compare(jsonAnswer(deep("1")), jsonAnswer(deep("2")))
}

func TestDifferences_ShowNoData(t *testing.T) {
	t.Parallel()
	r := &Rules{Seed: maphash.MakeSeed(), Headers: []string{"Content-Type"}}
	secret := "hunter2-4111-1111-1111-1111"
	got := r.Compare(jsonAnswer(`{"card":"`+secret+`","`+secret+`":1}`), jsonAnswer(`{"card":"x","`+secret+`":2}`))
	var b Book
	b.Note(time.Unix(0, 0), "GET", "/users/bob@example.com/orders/48213?token="+secret, got)
	text := fmt.Sprintf("%+v", b.List())
	if strings.Contains(text, secret) || strings.Contains(text, "bob") || strings.Contains(text, "48213") {
		t.Errorf("data in %s", text)
	}
	if same := r.Compare(jsonAnswer(`{"card":"`+secret+`"}`), jsonAnswer(`{"card":"y"}`)); same[0].Stable != got[0].Stable || same[0].Canary == got[0].Canary {
		t.Errorf("tags do not tell values apart: %+v and %+v", got, same)
	}
}

func TestTarget_SegmentsThatAreNames_AreKept(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		if got := Target(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f("/", "/")
	f("/api/v2/cart", "/api/v2/cart")
	f("/api/orders/48213/items", "/api/orders/*/items")
	f("/files/3f2a9c1e-77aa/page.html?q=secret", "/files/*/page.html?...")
	f("/"+strings.Repeat("abc/", 100), "/"+strings.Repeat("abc/", 100)[:2*maxShown-1]+"...")
}

func TestNoise_LearnsWhatNeverAgrees(t *testing.T) {
	t.Parallel()
	var n Noise
	at := Difference{Field: "$.at", Kind: Value}
	price := Difference{Field: "$.price", Kind: Value}
	if n.Learned() || n.Masks(at) {
		t.Error("something is known before anything was seen")
	}
	for range Learn {
		n.See([]Difference{at})
	}
	if !n.Learned() || !n.Masks(at) || n.Masks(price) || n.Masks(Difference{Field: "$.at", Kind: Missing}) {
		t.Errorf("noise %q", n.Fields())
	}
	for range 5 {
		n.See([]Difference{at, {Field: "status", Kind: Value}})
	}
	if n.Masks(Difference{Field: "status", Kind: Value}) {
		t.Error("a status became noise")
	}
	n.See([]Difference{price})
	if !n.Masks(price) {
		t.Error("one in 26 is noise")
	}
	for range 200 {
		n.See([]Difference{at})
	}
	if n.Masks(price) || !slices.Equal(n.Fields(), []string{"$.at"}) {
		t.Errorf("a field that differs once in 226 is no noise: %q", n.Fields())
	}
	if left := n.Less([]Difference{at, price}); texts(left) != "value $.price" {
		t.Errorf("left %q", texts(left))
	}
	for i := range 1000 {
		n.See([]Difference{{Field: fmt.Sprint("$.k", i), Kind: Value}})
	}
	if len(n.fields) > maxFields {
		t.Errorf("%d fields remembered", len(n.fields))
	}
}

func TestBook_KeepsTheNewestFew(t *testing.T) {
	t.Parallel()
	var b Book
	for i := range 10 {
		b.Note(time.Unix(int64(i), 0), "GET", "/", []Difference{{Field: "$.a", Kind: Value}})
	}
	b.Note(time.Unix(99, 0), "GET", "/", []Difference{{Field: "$.b", Kind: Type}})
	got := b.List()
	if len(got) != 2 || got[0].Field != "$.a" || got[0].Count != 10 || len(got[0].Requests) != maxExamples || got[0].Requests[0].At.Unix() != 9 {
		t.Errorf("got %+v", got)
	}
	for i := range 1000 {
		b.Note(time.Unix(0, 0), "GET", "/", []Difference{{Field: fmt.Sprint("$.k", i)}})
	}
	if len(b.List()) > maxFields {
		t.Errorf("%d fields kept", len(b.List()))
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `{"a":[1,{"b":"x"}]}`)
	f.Add(`[[[`, `{"a":1e999}`)
	f.Fuzz(func(t *testing.T, x, y string) {
		r := &Rules{Seed: maphash.MakeSeed(), Numbers: .1, Times: time.Second, Headers: []string{"Content-Type"}}
		if got := r.Compare(jsonAnswer(x), jsonAnswer(x)); len(got) != 0 {
			t.Errorf("%q differs from itself: %+v", x, got)
		}
		one, two := r.Compare(jsonAnswer(x), jsonAnswer(y)), r.Compare(jsonAnswer(y), jsonAnswer(x))
		if len(one) != len(two) || len(one) > maxDifferences {
			t.Errorf("%q, %q: %d differences one way, %d the other", x, y, len(one), len(two))
		}
		r.Values = true
		for _, d := range r.Compare(jsonAnswer(x), jsonAnswer(y)) {
			if len(d.Stable) > maxShown+8 {
				t.Errorf("shown %d bytes", len(d.Stable))
			}
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	r := &Rules{Seed: maphash.MakeSeed(), Headers: []string{"Content-Type"}}
	x, y := jsonAnswer(`{"at":1,"items":[{"id":1,"price":2.5},{"id":2,"price":3}],"total":"5.5"}`), jsonAnswer(`{"at":2,"items":[{"id":1,"price":2.5},{"id":2,"price":3}],"total":"5.5"}`)
	b.ReportAllocs()
	for b.Loop() {
		r.Compare(x, y)
	}
}
