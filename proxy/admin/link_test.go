package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"serin/gate"
	"serin/gate/control"
)

// linked is a server with links, and a rollout that waits for product's approval at version 17.
func linked(t *testing.T) (http.Handler, *Links, *fakeLoop) {
	t.Helper()
	links, err := OpenLinks(t.TempDir(), "http://"+testAddress+"/")
	if err != nil {
		t.Fatal(err)
	}
	o, loop := rooms()
	o.Links = links
	o.Tokens = tokensOf(t, people) // links need none
	loop.set(func(s *control.RolloutStatus) {
		s.Policy = &gate.Policy{Rollout: "checkout", Revision: "r", Stages: []gate.Stage{{Label: "5 %", Weight: 500}, {Label: "100 %", Weight: 10000, Owner: "product"}}}
		s.State = gate.State{Phase: gate.AwaitingApproval, Stage: 1, Weight: 500, Revision: "r", Attempt: 1, Version: 17}
	})
	return New(o).Handler(), links, loop
}

// pathOf is a link without its host.
func pathOf(t *testing.T, link string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(link, "http://"+testAddress)
	if !ok || !strings.HasPrefix(rest, linkPath) {
		t.Fatalf("link %q", link)
	}
	return rest
}

// press posts the form of a link's page as a browser does.
func press(h http.Handler, path string, fields url.Values) *httptest.ResponseRecorder {
	if fields == nil {
		fields = url.Values{}
	}
	if !fields.Has("link") {
		fields.Set("link", strings.TrimPrefix(path, linkPath))
	}
	return ask(h, "POST", path, fields.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", "http://"+testAddress, "Sec-Fetch-Site", "same-origin")
}

func grant(verb string) Grant {
	return Grant{Rollout: "checkout", Verb: verb, Version: 17, Owner: "product"}
}

func TestLink_Opened_AsksAndDoesNothing(t *testing.T) {
	h, links, loop := linked(t)
	link, _ := links.Make(grant("approve"))
	for range 3 { // a chat's preview, a scanner, a person
		w := ask(h, "GET", pathOf(t, link), "", "Sec-Fetch-Site", "cross-site")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Approve 100 % of checkout?") || !strings.Contains(w.Body.String(), `<form method="post">`) {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "form-action 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("policy %q", csp)
		}
		if strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), " style=") {
			t.Error("the page has a script or an inline style")
		}
	}
	if len(loop.got) != 0 {
		t.Errorf("opening it did %+v", loop.got)
	}
}

func TestLink_Pressed_ActsOnceInTheOwnersName(t *testing.T) {
	h, links, loop := linked(t)
	link, expires := links.Make(grant("approve"))
	if left := time.Until(expires); left < 23*time.Hour || left > 25*time.Hour {
		t.Errorf("expires in %v", left)
	}
	w := press(h, pathOf(t, link), url.Values{"name": {"alice"}, "reason": {"numbers are fine"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Done: approve checkout") {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	op := loop.got[0]
	if op.Verb != gate.VerbApprove || op.Actor != "alice (link)" || op.Reason != "numbers are fine" || *op.IfVersion != 17 || op.Rights.Admin || op.Rights.Owns[0] != "product" {
		t.Errorf("the loop was asked for %+v, %+v", op, op.Rights)
	}
	for _, w := range []*httptest.ResponseRecorder{press(h, pathOf(t, link), nil), ask(h, "GET", pathOf(t, link), "")} {
		if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "This link has been used.") {
			t.Errorf("a second time: %d %s", w.Code, w.Body)
		}
	}
	if len(loop.got) != 1 {
		t.Errorf("it acted %d times", len(loop.got))
	}
}

func TestLink_Restart_RemembersWhatWasUsed(t *testing.T) {
	dir := t.TempDir()
	first, err := OpenLinks(dir, "http://x")
	if err != nil {
		t.Fatal(err)
	}
	used, _ := first.Make(grant("approve"))
	other, _ := first.Make(grant("rollback"))
	cut := func(link string) string { return strings.TrimPrefix(link, "http://x"+linkPath) }
	g, err := first.Check(cut(used), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Use(cut(used), g); err != nil {
		t.Fatal(err)
	}
	second, err := OpenLinks(dir, "http://x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Check(cut(used), time.Now()); !errors.Is(err, ErrLinkUsed) {
		t.Errorf("the used one: %v", err)
	}
	if got, err := second.Check(cut(other), time.Now()); err != nil || got.Verb != "rollback" {
		t.Errorf("the other: %+v, %v", got, err)
	}
	for _, name := range []string{keyFile, usedFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if body, _ := os.ReadFile(filepath.Join(dir, usedFile)); strings.Contains(string(body), cut(used)[:20]) {
		t.Error("the file of used links holds the link")
	}
}

func TestLink_TwoAtOnce_OneActs(t *testing.T) {
	h, links, loop := linked(t)
	link, _ := links.Make(grant("approve"))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { press(h, pathOf(t, link), nil) })
	}
	all.Wait()
	if len(loop.got) != 1 {
		t.Errorf("it acted %d times", len(loop.got))
	}
}

func TestLink_NotAsItWasMade_IsNone(t *testing.T) {
	h, links, loop := linked(t)
	link, _ := links.Make(grant("approve"))
	path := pathOf(t, link)
	payload, mac, _ := strings.Cut(strings.TrimPrefix(path, linkPath), ".")
	other, err := OpenLinks(t.TempDir(), "http://"+testAddress)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := other.Make(grant("approve"))
	promote, _ := links.Make(Grant{Rollout: "checkout", Verb: "promote", Version: 17})
	for name, bad := range map[string]string{
		"another key": pathOf(t, foreign), "no mac": linkPath + payload, "empty mac": linkPath + payload + ".", "a changed byte": linkPath + "A" + payload[1:] + "." + mac,
		"half a mac": linkPath + payload + "." + mac[:20], "rubbish": linkPath + "%00.%ff", "a verb that links do not have": pathOf(t, promote),
	} {
		for _, w := range []*httptest.ResponseRecorder{ask(h, "GET", bad, ""), press(h, bad, nil)} {
			if w.Code != http.StatusGone && w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "<form") || strings.Contains(w.Body.String(), "requests</th>") {
				t.Errorf("%s: got %d %s", name, w.Code, w.Body)
			}
		}
	}
	if len(loop.got) != 0 {
		t.Errorf("acted: %+v", loop.got)
	}
}

func TestLink_ExpiredOrOvertaken_DoesNothing(t *testing.T) {
	h, links, loop := linked(t)
	g := grant("approve")
	g.Expires = time.Now().Add(-time.Second).Unix()
	late, _ := links.Make(g)
	g = grant("rollback")
	g.Version = 16
	old, _ := links.Make(g)
	g = grant("rollback")
	g.Rollout = "gone"
	gone, _ := links.Make(g)
	for link, want := range map[string]string{late: "This link has expired.", old: "Something was decided since", gone: "There is no rollout gone any more"} {
		for _, w := range []*httptest.ResponseRecorder{ask(h, "GET", pathOf(t, link), ""), press(h, pathOf(t, link), nil)} {
			if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "<form") {
				t.Errorf("want %q, got %d %s", want, w.Code, w.Body)
			}
		}
	}
	if len(loop.got) != 0 {
		t.Errorf("acted: %+v", loop.got)
	}
}

func TestLink_FormOfAnotherPage_IsRefused(t *testing.T) {
	h, links, loop := linked(t)
	link, _ := links.Make(grant("rollback"))
	path := pathOf(t, link)
	form := url.Values{"link": {strings.TrimPrefix(path, linkPath)}}.Encode()
	for name, headers := range map[string][]string{
		"another origin": {"Content-Type", "application/x-www-form-urlencoded", "Origin", "http://evil.test"},
		"another site":   {"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"},
		"a multipart":    {"Content-Type", "multipart/form-data; boundary=x"},
	} {
		if w := ask(h, "POST", path, form, headers...); w.Code < 400 {
			t.Errorf("%s: got %d", name, w.Code)
		}
	}
	if w := press(h, path, url.Values{"link": {"another"}}); w.Code != http.StatusBadRequest {
		t.Errorf("a form of another link: %d", w.Code)
	}
	if w := ask(h, "POST", "/v1/rollouts/checkout/rollback", "reason=x", append(secretOf("root"), "Content-Type", "application/x-www-form-urlencoded")...); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a form elsewhere: %d", w.Code)
	}
	if len(loop.got) != 0 {
		t.Errorf("acted: %+v", loop.got)
	}
}

func TestLink_ActRefused_IsGoodAgain(t *testing.T) {
	h, links, loop := linked(t)
	link, _ := links.Make(grant("approve"))
	loop.refusal = gate.RefusedPhase
	if w := press(h, pathOf(t, link), nil); w.Code != http.StatusConflict {
		t.Errorf("got %d", w.Code)
	}
	loop.refusal = ""
	if w := press(h, pathOf(t, link), nil); w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestLink_FullDisk_KeepsNobodyFromRollingBack(t *testing.T) {
	h, links, loop := linked(t)
	approve, _ := links.Make(grant("approve"))
	back, _ := links.Make(grant("rollback"))
	links.path = filepath.Join(t.TempDir(), "gone", "used.json")
	if w := press(h, pathOf(t, approve), nil); w.Code != http.StatusServiceUnavailable || len(loop.got) != 0 {
		t.Errorf("approve: %d, %+v", w.Code, loop.got)
	}
	if w := press(h, pathOf(t, back), nil); w.Code != http.StatusOK || len(loop.got) != 1 {
		t.Errorf("rollback: %d, %+v", w.Code, loop.got)
	}
	if w := press(h, pathOf(t, back), nil); w.Code != http.StatusGone {
		t.Errorf("again: %d", w.Code)
	}
}

func TestLink_DamagedKey_IsNoNewKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLinks(dir, "http://x"); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v", err)
	}
}

func FuzzLink(f *testing.F) {
	links, err := OpenLinks(f.TempDir(), "http://x")
	if err != nil {
		f.Fatal(err)
	}
	good, _ := links.Make(grant("approve"))
	good = strings.TrimPrefix(good, "http://x"+linkPath)
	f.Add(good)
	f.Add("a.b")
	f.Fuzz(func(t *testing.T, link string) {
		if g, err := links.Check(link, time.Now()); err == nil && link != good {
			payload, _, _ := strings.Cut(link, ".")
			want, _, _ := strings.Cut(good, ".")
			if payload != want { // base64 may spell the same MAC twice, never another payload
				t.Errorf("%q is a link for %+v", link, g)
			}
		}
	})
}
