package router

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// maxHost is the longest name the DNS knows (RFC 1035, section 2.3.4), in text.
const maxHost = 253

// hostIndex finds a host's paths.
type hostIndex struct {
	any   *node            // routes that name no host
	exact map[string]*node // "shop.example.com"
	wild  map[string]*node // ".example.com" for "*.example.com"
}

// newHostIndex takes the patterns by host as hostPatterns writes them.
func newHostIndex(build map[string]patterns) hostIndex {
	x := hostIndex{exact: map[string]*node{}, wild: map[string]*node{}}
	for host, p := range build {
		switch {
		case host == "":
			x.any = p.index()
		case host[0] == '.':
			x.wild[host] = p.index()
		default:
			x.exact[host] = p.index()
		}
	}
	return x
}

// match returns the index of the request's route, or -1. A host whose routes all decline leaves the request to the
// next less specific one.
func (x *hostIndex) match(r *Request) int {
	if len(x.exact)+len(x.wild) > 0 {
		host := bareHost(r.Host)
		if i := x.matchHost(r, host); i >= 0 {
			return i
		}
	}
	return x.any.match(r)
}

func (x *hostIndex) matchHost(r *Request, host []byte) int {
	for _, c := range host {
		if 'A' <= c && c <= 'Z' {
			return x.matchFolded(r, host)
		}
	}
	return x.matchLower(r, host)
}

// matchFolded is apart so that only hosts with capitals pay for the buffer.
func (x *hostIndex) matchFolded(r *Request, host []byte) int {
	var buf [maxHost]byte
	if len(host) > len(buf) {
		return -1
	}
	for i, c := range host {
		buf[i] = lower(c)
	}
	return x.matchLower(r, buf[:len(host)])
}

func (x *hostIndex) matchLower(r *Request, host []byte) int {
	if len(host) > maxHost {
		return -1
	}
	if n := x.exact[string(host)]; n != nil {
		if i := n.match(r); i >= 0 {
			return i
		}
	}
	if len(x.wild) == 0 {
		return -1
	}
	for label := bytes.IndexByte(host, '.'); label > 0; {
		host = host[label:]
		if n := x.wild[string(host)]; n != nil {
			if i := n.match(r); i >= 0 {
				return i
			}
		}
		label = 1 + bytes.IndexByte(host[1:], '.')
	}
	return -1
}

// bareHost cuts the port, the brackets of an IPv6 address and one trailing dot from an authority.
func bareHost(authority []byte) []byte {
	if len(authority) > 0 && authority[0] == '[' {
		end := bytes.IndexByte(authority, ']')
		if end < 0 {
			return nil
		}
		return authority[1:end]
	}
	if i := bytes.IndexByte(authority, ':'); i >= 0 {
		authority = authority[:i]
	}
	if n := len(authority); n > 0 && authority[n-1] == '.' {
		return authority[:n-1]
	}
	return authority
}

// hostPatterns returns the configured hosts as the index keys them: "" for none, ".example.com" for a wildcard.
func hostPatterns(hosts []string) ([]string, error) {
	if len(hosts) == 0 {
		return []string{""}, nil
	}
	keys := make([]string, 0, len(hosts))
	seen := map[string]bool{}
	for _, host := range hosts {
		key, err := hostPattern(host)
		if err != nil {
			return nil, err
		}
		if !seen[key] {
			keys = append(keys, key)
		}
		seen[key] = true
	}
	return keys, nil
}

func hostPattern(host string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if address, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return address.String(), nil
	}
	bare, wild := strings.CutPrefix(name, "*.")
	switch {
	case bare == "" || len(name) > maxHost:
		return "", fmt.Errorf("host %q is no host name", host)
	case strings.Contains(bare, "*"):
		return "", fmt.Errorf("host %q: a star stands only for the first label, as in *.example.com", host)
	case strings.ContainsAny(bare, ":/[]@ \t"):
		return "", fmt.Errorf("host %q: a name without scheme, port and path is wanted", host)
	case strings.HasPrefix(bare, ".") || strings.Contains(bare, ".."):
		return "", fmt.Errorf("host %q has an empty label", host)
	case wild:
		return "." + bare, nil
	}
	return bare, nil
}
