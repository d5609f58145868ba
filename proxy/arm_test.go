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

// experimentRig turns the rig's rollout into an experiment with three arms: control and green on v1, blue on v2.
func experimentRig(t *testing.T, stopped string) (*rig, *Split) {
	t.Helper()
	r := twoArms(t, rigOptions{mint: true, expose: true})
	split := *r.split
	split.Shares = []router.Share{{Name: "control", Until: 3000}, {Name: "green", Until: 6000}, {Name: "blue", Until: router.Full, Upstream: 1}}
	data := &Split{Name: "button", Expose: true, Keyless: window.NewMeter(window.Options{}), Other: window.NewMeter(window.Options{}), Drop: []string{"X-Button"}}
	for i := range split.Shares {
		split.Shares[i].Stopped = split.Shares[i].Name == stopped
		data.Arms = append(data.Arms, Arm{
			Name: split.Shares[i].Name, Evidence: window.NewMeter(window.Options{Users: true}),
			Fields: wire.AppendField(nil, "X-Button", split.Shares[i].Name),
		})
	}
	next := r.snapshot
	next.Table, next.Splits = next.Table.WithSplit(&split), []*Split{data}
	r.proxy.Publish(&next)
	return r, data
}

func TestExperiment_EveryArm_HasItsUpstreamItsFieldsAndItsMeter(t *testing.T) {
	t.Parallel()
	r, data := experimentRig(t, "")
	client := r.dial()
	var want [3]uint64
	for i := range 120 {
		user := fmt.Sprint("user", i)
		bucket := router.BucketOf(router.Salt("checkout"), []byte(user))
		arm := 0
		for uint16(bucket) >= []uint16{3000, 6000, 10000}[arm] {
			arm++
		}
		want[arm]++
		head, body := client.ask("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: " + user + "\r\nX-Button: mine\r\n\r\n")
		if expected := []string{"v1", "v1", "v2"}[arm]; body != expected {
			t.Fatalf("user %s: got %s, want %s", user, body, expected)
		}
		wantField(t, head, "X-Arm: "+data.Arms[arm].Name)
		wantField(t, head, "Serin-Arm: "+data.Arms[arm].Name)
	}
	for arm, n := range want {
		wantOutcome(t, data.Arms[arm].Evidence, window.Success, n)
	}
	totals := r.proxy.Totals().Experiments
	if len(totals) != 3 || totals[0].Arm != "blue" || totals[0].Total() != want[2] || totals[1].Experiment != "button" {
		t.Errorf("got totals %v", totals)
	}
}

func TestExperiment_StoppedArm_GoesToTheControlAndIsNoEvidence(t *testing.T) {
	t.Parallel()
	r, data := experimentRig(t, "blue")
	client := r.dial()
	for i := range 60 {
		head, body := client.ask(userGet(fmt.Sprint("user", i)))
		if body != "v1" || strings.Contains(head, "Serin-Arm: blue") {
			t.Fatalf("user %d: got %s, want the control for everybody of the stopped arm", i, body)
		}
	}
	if n := data.Arms[2].Evidence.Total(); n != 0 {
		t.Errorf("got %d requests on the stopped arm, want none", n)
	}
	if a, b, other := data.Arms[0].Evidence.Total(), data.Arms[1].Evidence.Total(), data.Other.Total(); a+b+other != 60 || other < 10 {
		t.Errorf("got %d, %d and %d of no arm, want 60 in all", a, b, other)
	}
}

func TestExperiment_MintedCookie_DecidesTheRequestThatMintsIt(t *testing.T) {
	t.Parallel()
	r, _ := experimentRig(t, "")
	client := r.dial()
	for range 20 {
		head, _ := client.ask("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
		_, cookie, _ := strings.Cut(head, "Set-Cookie: uid=")
		key, _, _ := strings.Cut(cookie, ";")
		again, _ := client.ask("GET / HTTP/1.1\r\nHost: shop\r\nCookie: uid=" + key + "\r\n\r\n")
		_, was, _ := strings.Cut(head, "X-Arm: ")
		was, _, _ = strings.Cut(was, "\r\n")
		wantField(t, again, "X-Arm: "+was)
	}
}

func TestSplit_FlagFields_GoUpstreamByArmAndAreCutFromTheClients(t *testing.T) {
	t.Parallel()
	up := listenLocal(t)
	fields := make(chan http.Header, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { fields <- r.Header.Clone() })}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(up) }()
	r := newRig(t, rigOptions{stable: up})
	split := testSplit(rigOptions{})
	split.Fields[router.Stable] = wire.AppendField(nil, "X-Flag-New-Checkout", "false")
	split.Drop = []string{"X-Flag-New-Checkout"}
	next := r.snapshot
	next.Splits = []*Split{split}
	r.proxy.Publish(&next)
	r.dial().ask("GET / HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\nX-Flag-New-Checkout: true\r\nx_flag_new_checkout: true\r\n\r\n")
	got := <-fields
	if flags := got["X-Flag-New-Checkout"]; len(flags) != 1 || flags[0] != "false" {
		t.Errorf("got %q, want the arm's value alone", flags)
	}
	for name := range got {
		if strings.Contains(name, "_") {
			t.Errorf("the client's twin %q went upstream", name)
		}
	}
}

func TestLocal_RequestsBelowThePrefix_GoToWhatSerinAnswers(t *testing.T) {
	t.Parallel()
	r := twoArms(t, rigOptions{serve: ServeOptions{Local: "/ofrep"}})
	next := r.snapshot
	next.Local = &router.Route{Upstream: 1}
	r.proxy.Publish(&next)
	client := r.dial()
	for path, want := range map[string]string{"/ofrep/v1": "v2", "/ofrep/": "v2", "/ofrep": "v1", "/ofrepx/v1": "v1", "/x/../ofrep/v1": "v2", "/": "v1"} {
		if _, body := client.ask("GET " + path + " HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\n\r\n"); body != want {
			t.Errorf("%s: got %s, want %s", path, body, want)
		}
	}
	r.proxy.Publish(&r.snapshot)
	if _, body := client.ask("GET /ofrep/v1 HTTP/1.1\r\nHost: shop\r\nX-User-Id: a\r\n\r\n"); body != "v1" {
		t.Errorf("without anything of its own: got %s, want v1", body)
	}
}
