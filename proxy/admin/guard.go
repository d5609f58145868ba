package admin

import (
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// hostList is the exact set of Host values the API answers to; any is for unix sockets, which no web page can reach.
type hostList struct {
	any   bool
	names map[string]bool // lower case, host or host:port as a client would send it
}

// hostsOf lists the names of a listener: loopback's names with its port, the configured address, and public_url's host.
func hostsOf(addr net.Addr, o Options) hostList {
	if strings.HasPrefix(o.Address, "unix:") || addr != nil && addr.Network() == "unix" {
		return hostList{any: true}
	}
	l := hostList{names: map[string]bool{}}
	for _, a := range []string{o.Address, addrText(addr)} {
		host, port, err := net.SplitHostPort(a)
		if err != nil {
			continue
		}
		for _, h := range []string{"localhost", "127.0.0.1", "::1", host} {
			if h != "" {
				l.add(h, port)
			}
		}
	}
	if u, err := url.Parse(o.PublicURL); err == nil && u.Host != "" {
		l.names[strings.ToLower(u.Host)] = true
	}
	return l
}

func (l hostList) add(host, port string) {
	l.names[strings.ToLower(net.JoinHostPort(host, port))] = true
	if port != "80" && port != "443" {
		return
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	l.names[strings.ToLower(host)] = true
}

func (l hostList) has(host string) bool { return l.any || l.names[strings.ToLower(host)] }

func addrText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// guard refuses what a web page of another origin could make a browser send, sets the headers that keep our answers out
// of other pages, and bounds bodies.
func (s *Server) guard(hosts hostList, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		ours := func(host string) bool { return hosts.has(host) || isAddressOf(r, host) }
		if !ours(r.Host) {
			fail(w, http.StatusForbidden, "host "+quoted(r.Host)+" is not one of this listener's names",
				"use its loopback address, or set admin.public_url")
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if status, problem, hint := refuseWrite(ours, r); status != 0 {
				fail(w, status, problem, hint)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		}
		next.ServeHTTP(w, r)
	})
}

// isAddressOf reports whether host names, by number, the very address that the request came in by. A page of another origin
// cannot make a browser do that: its own name would be there (DNS rebinding). It is how a listener on every address is reached.
func isAddressOf(r *http.Request, host string) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return false
	}
	text := at.String()
	number, port, err := net.SplitHostPort(text)
	return host == text || err == nil && (port == "80" || port == "443") && host == strings.TrimSuffix(net.JoinHostPort(number, ""), ":")
}

func protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// refuseWrite says why a request with effects must not be served; status 0: it may.
func refuseWrite(ours func(host string) bool, r *http.Request) (status int, problem, hint string) {
	const elsewhere = "writes come from the command line, from scripts, or from this listener's own page"
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return http.StatusForbidden, "a " + quoted(site) + " request of a web page is refused", elsewhere
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !ours(u.Host) || u.Scheme != "http" && u.Scheme != "https" {
			return http.StatusForbidden, "origin " + quoted(origin) + " is refused", elsewhere
		}
	}
	if r.Header.Get("Content-Encoding") != "" {
		return http.StatusUnsupportedMediaType, "encoded bodies are refused", "send plain JSON"
	}
	if !isJSON(r) && !isLinkForm(r) {
		return http.StatusUnsupportedMediaType, "a body needs Content-Type: application/json", "curl -H 'Content-Type: application/json' -d '{}'"
	}
	if r.ContentLength > maxBodyBytes {
		return http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB", "nothing here needs as much"
	}
	return 0, "", ""
}

// isJSON: a body says that it is JSON, which a form of another page cannot. Without a body there is nothing to say; a
// page that sends none is told by its Origin.
func isJSON(r *http.Request) bool {
	said := r.Header.Get("Content-Type")
	if said == "" && r.ContentLength == 0 {
		return true
	}
	t, _, err := mime.ParseMediaType(said)
	return err == nil && t == "application/json"
}
