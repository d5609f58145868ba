package wire

import (
	"net/netip"
	"testing"
)

func TestClientAddr_WalksFromTheRight(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	f := func(peer, want string, lines ...string) {
		t.Helper()
		r, err := judged(get(lines...))
		if err != nil {
			t.Fatal(err)
		}
		if got := ClientAddr(r, netip.MustParseAddr(peer), trusted); got != netip.MustParseAddr(want) {
			t.Errorf("peer %s, %q: got %v, want %v", peer, lines, got, want)
		}
	}
	f("192.0.2.1", "192.0.2.1")
	f("192.0.2.1", "192.0.2.1", "X-Forwarded-For: 6.6.6.6")
	f("10.0.0.1", "10.0.0.1")
	f("10.0.0.1", "6.6.6.6", "X-Forwarded-For: 6.6.6.6")
	f("::ffff:10.0.0.1", "6.6.6.6", "X-Forwarded-For: ::ffff:6.6.6.6")
	f("10.0.0.1", "2.2.2.2", "X-Forwarded-For: 6.6.6.6, 2.2.2.2")
	f("10.0.0.1", "2.2.2.2", "X-Forwarded-For: 6.6.6.6, 2.2.2.2, 10.0.0.2")
	f("10.0.0.1", "2.2.2.2", "X-Forwarded-For: 6.6.6.6, 2.2.2.2:80", "x-forwarded-for: 10.0.0.2,10.0.0.3:1")
	f("10.0.0.1", "2001:db8::1", "X-Forwarded-For: 2001:db8::1, [fd00::1]:443, [fd00::2]")
	f("10.0.0.1", "10.0.0.9", "X-Forwarded-For: 10.0.0.9, 10.0.0.2")
	f("10.0.0.1", "10.0.0.2", "X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.2")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: 6.6.6.6,")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: 6.6.6.6:x")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: fe80::1%eth0")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: [::1")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: [::1]x")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: []")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: :80")
	f("fd00::1", "6.6.6.6", "X-Forwarded-For: 6.6.6.6")
	r, _ := judged(get("X-Forwarded-For: 6.6.6.6"))
	if got := ClientAddr(r, netip.MustParseAddr("10.0.0.1"), nil); got.String() != "10.0.0.1" {
		t.Errorf("nobody is trusted: got %v", got)
	}
}

func TestValidTraceparent_FollowsTheGrammar(t *testing.T) {
	t.Parallel()
	f := func(v string, want bool) {
		t.Helper()
		if got := validTraceparent([]byte(v)); got != want {
			t.Errorf("%q: got %v, want %v", v, got, want)
		}
	}
	const ids = "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
	f("00"+ids+"01", true)
	f("00"+ids+"ff", true)
	f("00"+ids+"01-", false)
	f("01"+ids+"01-more", true)
	f("01"+ids+"01", true)
	f("01"+ids+"01x", false)
	f("ff"+ids+"01", false)
	f("00"+ids+"0", false)
	f("00"+ids+"0G", false)
	f("00"+ids+"0A", false)
	f("0A"+ids+"01", false)
	f("00-00000000000000000000000000000000-b7ad6b7169203331-01", false)
	f("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false)
	f("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false)
	f("", false)
}

func TestClientAddr_UnixPeer_IsBelievedWhereUnixIsTrusted(t *testing.T) {
	t.Parallel()
	ten := netip.MustParsePrefix("10.0.0.0/8")
	f := func(trusted []netip.Prefix, want netip.Addr, lines ...string) {
		t.Helper()
		r, err := judged(get(lines...))
		if err != nil {
			t.Fatal(err)
		}
		if got := ClientAddr(r, netip.Addr{}, trusted); got != want {
			t.Errorf("%v, %q: got %v, want %v", trusted, lines, got, want)
		}
	}
	user := netip.MustParseAddr("6.6.6.6")
	f([]netip.Prefix{ten}, netip.Addr{}, "X-Forwarded-For: 6.6.6.6")
	f([]netip.Prefix{ten, {}}, user, "X-Forwarded-For: 6.6.6.6")
	f([]netip.Prefix{ten, {}}, user, "X-Forwarded-For: 1.1.1.1, 6.6.6.6, 10.0.0.1")
	f([]netip.Prefix{{}}, netip.Addr{}, "X-Forwarded-For: nobody")
	f([]netip.Prefix{{}}, netip.Addr{})
	if Trusted(user, []netip.Prefix{{}}) {
		t.Error("an address is trusted as a unix socket's peer")
	}
}
