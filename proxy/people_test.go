package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"serin/gate/window"
	"serin/proxy/wire"
	"serin/router"
)

// forStaff makes the rig's rollout one for staff alone; everybody else gets stable by the route's Rest.
func forStaff(t *testing.T, r *rig) *Snapshot {
	t.Helper()
	staff := &router.Audience{Name: "staff", Any: []router.Predicate{{Kind: router.IsHeader, Name: "X-Employee", Is: "1"}}}
	if err := staff.Check(); err != nil {
		t.Fatal(err)
	}
	split := *r.split
	split.Audience = staff
	table, err := router.NewTable([]*router.Route{{Name: "all", Split: &split}})
	if err != nil {
		t.Fatal(err)
	}
	next := r.snapshot
	next.Table = table
	beside := testSplit(rigOptions{})
	beside.Outside, beside.Drop, beside.Hide = wire.AppendField(nil, "X-Flag", "off"), []string{"X-Flag"}, "X-Signal"
	beside.Fields = [2][]byte{wire.AppendField(nil, "X-Flag", "off"), wire.AppendField(nil, "X-Flag", "on")}
	next.Splits = []*Split{beside}
	r.proxy.Publish(&next)
	return &next
}

// telling runs a server whose answers are its name and what it was told of the release.
func telling(t *testing.T, name string) *http.Server {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Signal", "done=1")
		fmt.Fprint(w, name, " ", r.Header.Get("Serin-Rollout"), " ", r.Header.Get("Serin-Arm"), " ", strings.Join(r.Header["X-Flag"], ","))
	})}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSplit_WhoIsOutsideItsAudience_MeetsNeitherArmAndIsNoEvidence(t *testing.T) {
	t.Parallel()
	o := rigOptions{weight: router.Full, mint: true, stable: listenLocal(t), canary: listenLocal(t)}
	go func() { _ = telling(t, "v1").Serve(o.stable) }()
	go func() { _ = telling(t, "v2").Serve(o.canary) }()
	r := newRig(t, o)
	snap := forStaff(t, r)
	client := r.dial()
	f := func(fields, want string, cookie bool) {
		t.Helper()
		head, body := client.ask("GET / HTTP/1.1\r\nHost: shop\r\nX-Flag: mine\r\n" + fields + "\r\n")
		if body != want || strings.Contains(head, "Set-Cookie: uid=") != cookie || strings.Contains(head, "X-Signal") {
			t.Errorf("%q: got %q with\n%s\nwant %q, a cookie: %v", fields, body, head, want, cookie)
		}
	}
	f("X-User-Id: a\r\nX-Employee: 1\r\n", "v2 checkout canary on", false)
	f("X-User-Id: a\r\n", "v1   off", false)
	f("X-User-Id: a\r\nX-Employee: 2\r\nSerin-Arm: canary\r\n", "v1   off", false)
	f("", "v1   off", false) // nobody asks for his key
	f("X-Employee: 1\r\n", "v2 checkout canary on", true)
	split := snap.Splits[0]
	wantOutcome(t, split.Evidence[router.Canary], window.Success, 2)
	wantOutcome(t, snap.Plain[0], window.Success, 3)
	if n, m := split.Evidence[router.Stable].Total(), split.Keyless.Total(); n+m != 0 {
		t.Errorf("got %d requests of stable's evidence and %d without a key, want none", n, m)
	}
}

// TestSameArm_WhoIsOutsideTheAudience_IsWhereHeWas: who was outside and is, may be sent again to the same place; who came in or
// went out meanwhile may not, once something was sent.
func TestSameArm_WhoIsOutsideTheAudience_IsWhereHeWas(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{weight: router.Full, stable: listenLocal(t), canary: listenLocal(t)})
	snap := forStaff(t, r)
	route := snap.Table.Match(&router.Request{})
	plain := &router.Route{Name: "plain"}
	f := func(fields string, was *Split, to *router.Route, want bool) {
		t.Helper()
		x := &exchange{split: was, choice: router.Choice{Arm: router.Canary}, routed: router.Request{Head: []byte(fields)}}
		if got := x.sameArm(snap, to); got != want {
			t.Errorf("%q, was in a rollout: %v: got %v, want %v", fields, was != nil, got, want)
		}
	}
	const staff, other = "X-User-Id: a\r\nX-Employee: 1\r\n", "X-User-Id: a\r\n"
	f(other, nil, route, true)
	f(other, snap.Splits[0], route, false)
	f(staff, nil, route, false)
	f(staff, snap.Splits[0], route, true)
	f(staff, snap.Splits[0], plain, false)
	f(staff, nil, plain, true)
	f(staff, nil, nil, false)
}
