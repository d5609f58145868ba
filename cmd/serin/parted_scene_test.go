package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"serin/proxy/admin"
)

// partedFile is one route with a rollout for staff, one for customers and an experiment for guests; robots are in none of them.
const partedFile = `[listen]
address = %[1]q
ofrep   = "/ofrep"
[upstream.v1]
servers = [%[2]q]
[upstream.v2]
servers = [%[3]q]
[upstream.v3]
servers = [%[4]q]

[audience.staff]
any = [{ header = "X-Employee", is = "1" }, { key_file = "staff.txt" }]
[audience.customers]
any = [{ cookie = "session" }]
not = { audience = "staff" }
[audience.guests]
not = [{ audience = "staff" }, { cookie = "session" }, { header = "X-Robot" }]

[route.shop]
path = "/*"

[rollout.internal]
route    = "shop"
audience = "staff"
key      = ["header:X-User-Id"]
stable   = "v1"
canary   = "v3"
ladder   = ["50%%", "100%%"]
every    = "1h"
[[rollout.internal.gate]]
metric   = "error_rate"
rollback = "5%%"

[rollout.checkout]
route    = "shop"
audience = "customers"
key      = ["header:X-User-Id"]
stable   = "v1"
canary   = "v2"
ladder   = ["20%%", "100%%"]
every    = "1h"
[[rollout.checkout.gate]]
metric   = "error_rate"
rollback = "5%%"

[experiment.button]
route    = "shop"
audience = "guests"
key      = ["header:X-User-Id"]
arms     = { plain = { upstream = "v1", weight = "50%%" }, green = { upstream = "v1", weight = "50%%", headers = { X-Button = "green" } } }
for      = "1h"
[[experiment.button.gate]]
metric   = "error_rate"
rollback = "stable + 5pt"

[flag.tools]
rollout = "internal"
header  = "X-Flag-Tools"
[flag.new-checkout]
rollout = "checkout"
header  = "X-Flag-New-Checkout"
[flag.colour]
experiment = "button"
values = { plain = "grey", green = "green" }
off = "grey"
header  = "X-Flag-Colour"
`

// partedUser is somebody, and what all his requests say.
type partedUser struct {
	key, owner string
	fields     map[string]string
}

// partedUsers are users of every kind.
func partedUsers(n int) (users []partedUser) {
	for i := range n {
		u := partedUser{key: fmt.Sprintf("user-%d", i), owner: "button", fields: map[string]string{}}
		switch i % 5 {
		case 0:
			u.owner, u.fields["X-Employee"] = "internal", "1"
		case 1:
			u.owner, u.fields["Cookie"] = "checkout", "a=b; session=xyz"
		case 2: // somebody of the staff who shops
			u.owner, u.fields["X-Employee"], u.fields["Cookie"] = "internal", "1", "session=xyz"
		case 3:
			u.owner, u.fields["X-Robot"] = "", "yes"
		}
		if i < 10 { // in staff.txt
			u.owner = "internal"
		}
		users = append(users, u)
	}
	return users
}

// partedAnswer is what one of those who are asked says of a user: the one who has him, his arm, and the flags.
type partedAnswer struct{ Owner, Arm, Tools, Checkout, Colour string }

// byRoute asks the shop itself; the upstream says what it got.
func (u partedUser) byRoute(t *testing.T, base string) partedAnswer {
	t.Helper()
	r, err := http.NewRequest("GET", base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range u.fields {
		r.Header.Set(name, value)
	}
	r.Header.Set("X-User-Id", u.key)
	for _, name := range []string{"Serin-Rollout", "Serin-Arm", "X-Flag-Tools", "X-Flag-New-Checkout", "X-Flag-Colour", "X-Button"} {
		r.Header.Set(name, "mine")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var seen echoed
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	h := func(name string) string { return strings.Join(seen.Header.Values(name), ",") }
	if button := h("X-Button"); (button == "green") != (h("Serin-Arm") == "green") || button != "" && button != "green" {
		t.Errorf("%s: the upstream got X-Button %q on arm %q", u.key, button, h("Serin-Arm"))
	}
	return partedAnswer{h("Serin-Rollout"), h("Serin-Arm"), h("X-Flag-Tools"), h("X-Flag-New-Checkout"), h("X-Flag-Colour")}
}

// byExplain asks GET /v1/explain.
func (u partedUser) byExplain(t *testing.T, c *admin.Client) (a partedAnswer) {
	t.Helper()
	ask := admin.Ask{Key: u.key}
	for name, value := range u.fields {
		ask.Headers = append(ask.Headers, name+": "+value)
	}
	x, err := c.Explain(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	has := func(name, arm string) {
		if a.Owner != "" {
			t.Errorf("%s is in %s and in %s", u.key, a.Owner, name)
		}
		a.Owner, a.Arm = name, arm
	}
	for _, r := range x.Rollouts {
		switch {
		case r.FlipsAtWeight != nil:
			has(r.Name, r.Arm)
		case r.Arm != "none" || !strings.Contains(r.Reason, "not a member of audience "+r.For):
			t.Errorf("%s is not of %s: got arm %s, %s", u.key, r.Name, r.Arm, r.Reason)
		}
	}
	for _, e := range x.Experiments {
		if e.Reason != "outside" {
			has(e.Name, e.Arm)
		}
	}
	for _, f := range x.Flags {
		a.set(f.Name, f.Value)
	}
	return a
}

// byFlags asks for the flags alone, over the data listener.
func (u partedUser) byFlags(t *testing.T, base string) (a partedAnswer) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"context": map[string]any{"targetingKey": u.key, "serin": map[string]any{"headers": u.fields}}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(base+"/ofrep/v1/evaluate/flags", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var all struct {
		Flags []struct {
			Key, Reason string
			Value       any
			Metadata    struct{ Rollout string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, f := range all.Flags {
		a.set(f.Key, f.Value)
		if f.Reason != "DEFAULT" {
			a.Owner += f.Metadata.Rollout
		}
	}
	return a
}

func (a *partedAnswer) set(flag string, value any) {
	switch flag {
	case "tools":
		a.Tools = fmt.Sprint(value)
	case "new-checkout":
		a.Checkout = fmt.Sprint(value)
	case "colour":
		a.Colour = fmt.Sprint(value)
	}
}
