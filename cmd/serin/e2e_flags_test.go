package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"

	"serin/proxy/admin"
)

// flagged is a release behind flags: both arms on one upstream, which a person moves.
const flagged = `[listen]
address = %q
ofrep = "/ofrep"

[upstream.shop]
servers = [%q]

[rollout.checkout]
stable = "shop"
canary = "shop"
key    = ["header:X-User-Id"]
ladder = ["10%%", "50%%", "100%%"]
every  = "1h"

[[rollout.checkout.gate]]
metric   = "error_rate"
rollback = "stable + 2pt"
[[rollout.checkout.gate]]
metric = "timeout_rate"
hold   = "1%%"

[flag.new-checkout]
rollout = "checkout"
header  = "X-Flag-New-Checkout"
[flag.colour]
rollout = "checkout"
on  = "green"
off = "grey"
[flag.limits]
rollout = "checkout"
on  = { items = 20, names = ["a", "b"] }
off = { items = 10, names = [] }
[flag.share]
rollout = "checkout"
on  = 0.5
off = 0.25
[flag.count]
rollout = "checkout"
on  = 7
off = 3
`

// flagScene is a daemon with flags in front of an echo.
func flagScene(t *testing.T) (*daemonProcess, site) {
	t.Helper()
	s := newSite(t)
	echo := startEcho(t, listenTCP(t), nil, nil)
	d := startDaemon(t, s, s.file(t, fmt.Sprintf(flagged, s.listen, echo)))
	d.Follow(20*time.Second, func(ro admin.Rollout) bool { return ro.Weight == .1 })
	return d, s
}

// move acts on the rollout and waits until it is done.
func move(t *testing.T, d *daemonProcess, verb string) admin.Rollout {
	t.Helper()
	ro, err := d.Client.Rollout(context.Background(), "checkout")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Client.Act(context.Background(), "checkout", verb, admin.Act{IfVersion: &ro.Version, Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	ro, err = d.Client.Rollout(context.Background(), "checkout")
	if err != nil {
		t.Fatal(err)
	}
	return ro
}

// routed is the flag field that the upstream got with a user's request.
func routed(client *http.Client, base, key string) (string, error) {
	r, err := http.NewRequest("GET", base+"/", nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("X-User-Id", key)
	r.Header.Set("X-Flag-New-Checkout", "mine")
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var seen echoed
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
		return "", err
	}
	return strings.Join(seen.Header.Values("X-Flag-New-Checkout"), ","), nil
}

// evaluated is the flag's value by the protocol.
func evaluated(client *http.Client, base, key string) (string, error) {
	answer, err := client.Post(base+"/ofrep/v1/evaluate/flags/new-checkout", "application/json", strings.NewReader(`{"context":{"targetingKey":"`+key+`"}}`))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var seen struct{ Value bool }
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
		return "", err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return fmt.Sprint(seen.Value), nil
}

func TestE2E_FlagsAndRoutes_AgreeForTenThousandUsersWhileTheWeightMoves(t *testing.T) {
	t.Parallel()
	d, _ := flagScene(t)
	const users, workers = 10_000, 8
	check := func(weight float64) {
		t.Helper()
		var on, wrong [workers]int
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
				defer client.CloseIdleConnections()
				for i := w; i < users; i += workers {
					key := fmt.Sprintf("user-%d", i)
					route, err := routed(client, d.Listen, key)
					if err != nil {
						t.Error(err)
						return
					}
					flag, err := evaluated(client, d.Listen, key)
					if err != nil {
						t.Error(err)
						return
					}
					if route != flag {
						wrong[w]++
					}
					if flag == "true" {
						on[w]++
					}
				}
			})
		}
		wg.Wait()
		total, disagree := 0, 0
		for w := range workers {
			total, disagree = total+on[w], disagree+wrong[w]
		}
		if disagree > 0 {
			t.Errorf("at %v: flag and route disagree for %d of %d users", weight, disagree, users)
		}
		if got := float64(total) / users; got < weight-.02 || got > weight+.02 {
			t.Errorf("at %v: the flag is on for %v of the users", weight, got)
		}
	}
	check(.1)
	ro := move(t, d, "promote")
	check(ro.Weight)
	ro = move(t, d, "promote")
	check(ro.Weight)
	ro = move(t, d, "rollback")
	if ro.Weight != 0 {
		t.Fatalf("got weight %v after a rollback", ro.Weight)
	}
	check(0)
}

func TestE2E_OpenFeatureGoSDK_ReadsFlagsAndSeesTheKillAtOnce(t *testing.T) {
	t.Parallel()
	d, s := flagScene(t)
	for name, base := range map[string]string{"data": d.Listen, "admin": "http://" + s.admin} {
		if err := openfeature.SetNamedProviderAndWait(name, ofrep.NewProvider(base)); err != nil {
			t.Fatal(err)
		}
	}
	data, control := openfeature.NewClient("data"), openfeature.NewClient("admin")
	ctx := context.Background()
	alice, bob := "", ""
	for i := 0; alice == "" || bob == ""; i++ {
		key := fmt.Sprintf("user-%d", i)
		on, err := data.BooleanValue(ctx, "new-checkout", false, openfeature.NewEvaluationContext(key, nil))
		if err != nil {
			t.Fatal(err)
		}
		if on {
			alice = key
		} else {
			bob = key
		}
	}
	is := openfeature.NewEvaluationContext(alice, map[string]any{"plan": "pro"})
	if text, err := data.StringValue(ctx, "colour", "none", is); text != "green" || err != nil {
		t.Errorf("got %q, %v, want green", text, err)
	}
	if text, err := control.StringValue(ctx, "colour", "none", openfeature.NewEvaluationContext(bob, nil)); text != "grey" || err != nil {
		t.Errorf("got %q, %v, want grey", text, err)
	}
	if n, err := data.IntValue(ctx, "count", 0, is); n != 7 || err != nil {
		t.Errorf("got %d, %v, want 7", n, err)
	}
	if f, err := data.FloatValue(ctx, "share", 0, is); f != .5 || err != nil {
		t.Errorf("got %v, %v, want 0.5", f, err)
	}
	if o, err := data.ObjectValue(ctx, "limits", nil, is); fmt.Sprint(o) != "map[items:20 names:[a b]]" || err != nil {
		t.Errorf("got %v, %v", o, err)
	}
	details, err := data.BooleanValueDetails(ctx, "new-checkout", false, is)
	if err != nil || details.Variant != "on" || details.Reason != openfeature.SplitReason {
		t.Errorf("got variant %q, reason %q, %v", details.Variant, details.Reason, err)
	}
	unknown, err := data.BooleanValueDetails(ctx, "none", true, is)
	if err == nil || unknown.ErrorCode != openfeature.FlagNotFoundCode || !unknown.Value {
		t.Errorf("unknown flag: got %q, %v and the value %v", unknown.ErrorCode, err, unknown.Value)
	}
	keyless, err := data.BooleanValueDetails(ctx, "new-checkout", true, openfeature.EvaluationContext{})
	if err == nil || keyless.ErrorCode != openfeature.TargetingKeyMissingCode {
		t.Errorf("no key: got %q, %v", keyless.ErrorCode, err)
	}
	wrong, err := data.StringValueDetails(ctx, "new-checkout", "default", is)
	if err == nil || wrong.ErrorCode != openfeature.TypeMismatchCode || wrong.Value != "default" {
		t.Errorf("a boolean as text: got %q, %v", wrong.ErrorCode, err)
	}
	if ro := move(t, d, "rollback"); ro.Weight != 0 {
		t.Fatalf("got weight %v after a rollback", ro.Weight)
	}
	killed, err := data.BooleanValueDetails(ctx, "new-checkout", true, is)
	if err != nil || killed.Value || killed.Reason != openfeature.StaticReason {
		t.Errorf("after the kill: got %v, reason %q, %v", killed.Value, killed.Reason, err)
	}
	if field, err := routed(http.DefaultClient, d.Listen, alice); field != "false" || err != nil {
		t.Errorf("after the kill: the upstream got %q, %v", field, err)
	}
}

// webProvider installs OpenFeature's web SDK at the versions of testdata/ofrep and returns the folder with it.
func webProvider(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: this test runs OpenFeature's web SDK; install Node.js 20 or newer with npm", err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "web.mjs"} {
		text, err := os.ReadFile(filepath.Join("testdata", "ofrep", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

func TestE2E_OpenFeatureWebSDK_ReadsFlagsAndKeepsThemByTheirTag(t *testing.T) {
	t.Parallel()
	dir := webProvider(t)
	d, _ := flagScene(t)
	alice := ""
	for i := 0; alice == ""; i++ {
		key := fmt.Sprintf("user-%d", i)
		if on, err := evaluated(http.DefaultClient, d.Listen, key); err != nil {
			t.Fatal(err)
		} else if on == "true" {
			alice = key
		}
	}
	page := exec.Command("node", "web.mjs", d.Listen, alice, "boolean:new-checkout", "string:colour", "object:limits", "string:none")
	page.Dir = dir
	var talk bytes.Buffer
	page.Stderr = &talk
	in, err := page.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := page.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { page.Process.Kill(); page.Wait() })
	lines := bufio.NewScanner(out)
	next := func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the page said no more: %s", talk.String())
		}
		return lines.Text()
	}
	for _, want := range []string{
		`{"flag":"new-checkout","value":true,"variant":"on","reason":"SPLIT"}`,
		`{"flag":"colour","value":"green","variant":"on","reason":"SPLIT"}`,
		`{"flag":"limits","value":{"items":20,"names":["a","b"]},"variant":"on","reason":"SPLIT"}`,
		`{"flag":"none","value":"none","reason":"ERROR","error":"FLAG_NOT_FOUND"}`,
	} {
		if got := next(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	counts := struct{ Asked, Unchanged int }{}
	for counts.Unchanged < 2 { // it asks every 50 ms with the tag it has
		_, _ = io.WriteString(in, "counts\n")
		if err := json.Unmarshal([]byte(next()), &counts); err != nil {
			t.Fatal(err)
		}
	}
	if counts.Asked != counts.Unchanged+1 && counts.Asked != counts.Unchanged+2 {
		t.Errorf("of %d questions %d were answered 304, want all but the first", counts.Asked, counts.Unchanged)
	}
	move(t, d, "rollback")
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, _ = io.WriteString(in, "again\n")
		first := next()
		for range 3 {
			next()
		}
		if first == `{"flag":"new-checkout","value":false,"variant":"off","reason":"STATIC"}` {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("20 s after the kill the page has %s", first)
		}
	}
}
