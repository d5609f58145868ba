package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxUnixPath is the longest path of a unix socket: sun_path of Linux, with its closing NUL.
const maxUnixPath = 107

// Endpoint is one server of a pool: "10.0.0.21:9000", "https://10.0.0.22:9443" or "unix:/run/app.sock".
type Endpoint struct{ Server }

func (e *Endpoint) decode(raw any) error {
	text, ok := raw.(string)
	if !ok {
		return wanted(`an address such as "10.0.0.21:9000"`, raw)
	}
	e.Server = Server{Name: text, Network: "tcp", Address: text}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		e.Network, e.Address = "unix", path
		return checkUnix(path)
	}
	if plain, ok := strings.CutPrefix(text, "http://"); ok {
		return fmt.Errorf("%s: plain HTTP is written without a scheme, such as %s", show(text), show(strings.TrimSuffix(plain, "/")))
	}
	if address, ok := strings.CutPrefix(text, "https://"); ok {
		e.TLS, e.Address = true, address
	} else if strings.Contains(text, "://") {
		return fmt.Errorf(`want "HOST:PORT", "https://HOST:PORT" or "unix:/PATH", got %s`, show(text))
	}
	host, err := checkHostPort(e.Address, 1)
	if err == nil && host == "" {
		return fmt.Errorf("%s names no host", show(text))
	}
	return err
}

func (e Endpoint) literal() string { return quote(e.Name) }
func (Endpoint) unit() string      { return "address" }
func (Endpoint) pattern() string   { return `^(unix:.+|(https://)?[^/]+:\d+)$` }

// ListenAddress is where a data listener listens: ":8080", "unix:/run/serin.sock" or "fd:NAME" (a socket handed over by
// the service manager).
type ListenAddress string

func (a *ListenAddress) decode(raw any) error {
	text, ok := raw.(string)
	if !ok || text == "" {
		return wanted(`an address such as ":8080"`, raw)
	}
	*a = ListenAddress(text)
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return checkUnix(path)
	}
	if name, ok := strings.CutPrefix(text, "fd:"); ok {
		if name == "" || strings.ContainsAny(name, ": /") {
			return errors.New(`want "fd:NAME" with the name of the service manager's socket`)
		}
		return nil
	}
	_, err := checkHostPort(text, 0)
	return err
}

func (a ListenAddress) literal() string { return quote(string(a)) }
func (ListenAddress) unit() string      { return "address" }
func (ListenAddress) pattern() string   { return `^(unix:.+|fd:[^: /]+|.*:\d+)$` }

// AdminAddress is where the admin listener listens: "HOST:PORT" or "unix:/PATH".
type AdminAddress string

func (a *AdminAddress) decode(raw any) error {
	text, ok := raw.(string)
	if !ok || text == "" {
		return wanted(`an address such as "127.0.0.1:9180"`, raw)
	}
	*a = AdminAddress(text)
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return checkUnix(path)
	}
	_, err := checkHostPort(text, 0)
	return err
}

func (a AdminAddress) literal() string { return quote(string(a)) }
func (AdminAddress) unit() string      { return "address" }
func (AdminAddress) pattern() string   { return `^(unix:.+|.*:\d+)$` }

// URL is an absolute http or https URL without credentials; "" for none.
type URL string

func (u *URL) decode(raw any) error {
	text, ok := raw.(string)
	if !ok {
		return wanted(`a URL such as "https://serin.example"`, raw)
	}
	*u = URL(text)
	parsed, err := url.Parse(text)
	switch {
	case text == "":
		return nil
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		return wanted(`a URL such as "https://serin.example"`, raw)
	case parsed.User != nil:
		return errors.New("a URL must not hold a name or password")
	}
	return nil
}

func (u URL) literal() string { return quote(string(u)) }
func (URL) unit() string      { return "URL" }
func (URL) pattern() string   { return `^(https?://.+)?$` }

// Prefix is a range of addresses: "10.0.0.0/8", or one address.
type Prefix struct{ netip.Prefix }

func (p *Prefix) decode(raw any) error {
	text, _ := raw.(string)
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		p.Prefix = netip.PrefixFrom(ip, ip.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return wanted(`an address range such as "10.0.0.0/8"`, raw)
	}
	p.Prefix = prefix.Masked()
	return nil
}

func (p Prefix) literal() string { return quote(p.String()) }
func (Prefix) unit() string      { return "address range" }
func (Prefix) pattern() string   { return `^[0-9a-fA-F:.]+(/\d+)?$` }

// ProxyAddress is a range of addresses, or "unix:" for the peers of a unix socket: the zero Prefix.
type ProxyAddress struct{ Prefix }

func (p *ProxyAddress) decode(raw any) error {
	if raw == "unix:" {
		p.Prefix = Prefix{}
		return nil
	}
	if p.Prefix.decode(raw) != nil {
		return wanted(`an address range such as "10.0.0.0/8", or "unix:"`, raw)
	}
	return nil
}

func (p ProxyAddress) literal() string {
	if !p.IsValid() {
		return quote("unix:")
	}
	return p.Prefix.literal()
}
func (ProxyAddress) unit() string    { return "address range or unix:" }
func (ProxyAddress) pattern() string { return `^(unix:|[0-9a-fA-F:.]+(/\d+)?)$` }

// checkUnix checks the path of a unix socket; "@name" is Linux's abstract kind.
func checkUnix(path string) error {
	if path == "" || strings.ContainsRune(path, 0) {
		return errors.New(`want "unix:/PATH"`)
	}
	if len(path) > maxUnixPath {
		return fmt.Errorf("a unix socket's path has at most %d bytes, this one has %d", maxUnixPath, len(path))
	}
	return nil
}

// checkHostPort splits "host:port" and checks the port, which is at least least.
func checkHostPort(text string, least int) (host string, err error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		var address *net.AddrError
		if errors.As(err, &address) && address.Err == "missing port in address" {
			return "", fmt.Errorf(`%s has no port: write it as "HOST:PORT"`, show(text))
		}
		return "", wanted(`"HOST:PORT" (an IPv6 address in brackets)`, text)
	}
	if strings.ContainsAny(host, "/ ?#@\\\"\x00\t\r\n") {
		return "", fmt.Errorf("%s is no host", show(host))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || int(n) < least {
		return "", fmt.Errorf("%s is no port: want a number from %d to 65535", show(port), least)
	}
	return host, nil
}
