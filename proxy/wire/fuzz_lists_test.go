package wire

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzConnectionNomination: every nominated field without meaning to a proxy goes, every other line stays, in order.
func FuzzConnectionNomination(f *testing.F) {
	f.Add("X-A, close", "X-A", "1")
	f.Add("Host,Content-Length", "Cookie", "2")
	f.Add(",,upgrade , x-forwarded-for", "X-Forwarded-For", "3")
	f.Fuzz(func(t *testing.T, list, name, value string) {
		head := get("A: 1", "Connection: "+list, name+": "+value, "B: 2", name+": again")
		r, err := judged(head)
		if err != nil {
			return
		}
		out, err := strictly(AppendRequest(nil, r, from()), strictRequestLine, false)
		if err != nil {
			t.Fatal(err)
		}
		client, err := strictly([]byte(head), strictRequestLine, false)
		if err != nil {
			t.Fatal(err)
		}
		var want [][2]string
		for _, field := range client.fields {
			k := classify([]byte(field[0]))
			if strings.Contains(field[0], "_") {
				k = classifyUnderscore([]byte(field[0]), UnderscorePass)
			}
			if k == kindOther && slices.Contains(client.list("Connection"), strings.ToLower(field[0])) {
				continue
			}
			if k == kindOther || k == kindHost || k == kindCookie || k == kindAuthorization || k == kindVia || k == kindTrailer || k == kindSetCookie || k == kindCacheControl {
				want = append(want, field)
			}
		}
		var got [][2]string
		for _, field := range out.fields {
			if k := classify([]byte(field[0])); k == kindOther || slices.Contains(want, field) {
				got = append(got, field)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: got %q, want %q", head, got, want)
		}
	})
}

// FuzzForwardedFor: the rebuilt line ends in the peer, holds nothing of an untrusted peer, and the believed client is an
// address that the text holds, never a trusted one while an untrusted one stands right of it.
func FuzzForwardedFor(f *testing.F) {
	f.Add("6.6.6.6", "10.0.0.2", true)
	f.Add("[2001:db8::1]:80, 10.0.0.3", ",", true)
	f.Add("unknown", "6.6.6.6:80", false)
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, one, two string, trust bool) {
		r, err := judged(get("X-Forwarded-For: "+one, "x-forwarded-for: "+two))
		if err != nil || len(r.Fields) != 3 {
			return
		}
		o := from()
		o.Trusted = trust
		out, err := strictly(AppendRequest(nil, r, o), strictRequestLine, false)
		line := out.all("X-Forwarded-For")
		if err != nil || len(line) != 1 {
			t.Fatalf("got %q, %v", line, err)
		}
		said := r.buf[r.Fields[1].Value:r.Fields[1].ValueEnd]
		if !trust && line[0] != "192.0.2.7" || trust && (!strings.HasSuffix(line[0], "192.0.2.7") || !strings.HasPrefix(line[0], string(said))) {
			t.Fatalf("%q, %q, trusted %v: got %q", one, two, trust, line[0])
		}
		addr := ClientAddr(r, peer, trusted)
		if !addr.IsValid() || addr.Is4In6() || addr.Zone() != "" {
			t.Fatalf("%q, %q: got %v", one, two, addr)
		}
		if addr != peer && !mentions(one+","+two, addr) {
			t.Fatalf("%q, %q: got %v", one, two, addr)
		}
		if untrusted := netip.MustParseAddr("192.0.2.7"); ClientAddr(r, untrusted, trusted) != untrusted {
			t.Fatal("an untrusted peer is believed")
		}
	})
}

// mentions says whether one element of list is addr, however written.
func mentions(list string, addr netip.Addr) bool {
	for e := range strings.SplitSeq(list, ",") {
		e = strings.Trim(e, " \t")
		if a, err := netip.ParseAddr(strings.Trim(e, "[]")); err == nil && a.Unmap() == addr {
			return true
		}
		if i := strings.LastIndexByte(e, ':'); i > 0 {
			if a, err := netip.ParseAddr(strings.Trim(e[:i], "[]")); err == nil && a.Unmap() == addr {
				return true
			}
		}
	}
	return false
}

var (
	strictTrace0 = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	strictTraceN = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$`)
	strictZeros  = regexp.MustCompile(`^(ff|..-0{32}|..-.{32}-0{16})`)
)

// FuzzTraceparent: valid is what the specification's grammar says, and what we make is valid.
func FuzzTraceparent(f *testing.F) {
	f.Add(strings.TrimPrefix(goodTrace, "traceparent: "), uint64(0), uint64(0), uint64(0))
	f.Add("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", uint64(1), uint64(2), uint64(3))
	f.Add("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", ^uint64(0), uint64(2), uint64(3))
	f.Fuzz(func(t *testing.T, v string, a, b, c uint64) {
		if strings.ContainsAny(v, "\r\n") {
			return
		}
		want := !strictZeros.MatchString(v) && (strictTrace0.MatchString(v) || !strings.HasPrefix(v, "00") && strictTraceN.MatchString(v))
		if got := validTraceparent([]byte(v)); got != want {
			t.Fatalf("%q: got %v, want %v", v, got, want)
		}
		line := string(appendTraceparent(nil, &[3]uint64{a, b, c}))
		made := strings.TrimSuffix(strings.TrimPrefix(line, "traceparent: "), "\r\n")
		if !strictTrace0.MatchString(made) || strictZeros.MatchString(made) {
			t.Fatalf("made %q", line)
		}
	})
}
