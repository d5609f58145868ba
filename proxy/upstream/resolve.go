package upstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	lookUpEvery   = 5 * time.Second
	lookUpTimeout = 3 * time.Second
	// maxAddresses bounds what one name may bring in.
	maxAddresses = 64
)

// name is a server configured by a host name.
type name struct {
	spec       ServerSpec
	host, port string
	looking    bool // guarded by Pool.mu, as is next
	next       time.Duration
}

// addSpec adds an address at once and a name to those that are looked up.
func (p *Pool) addSpec(spec ServerSpec) {
	host, port, err := net.SplitHostPort(spec.Address)
	if _, isIP := netip.ParseAddr(host); spec.Network == "unix" || err != nil || isIP == nil {
		p.servers = append(p.servers, newServer(spec, nil, []string{spec.Address}))
		return
	}
	p.names = append(p.names, &name{spec: spec, host: host, port: port})
}

// Prepare looks every name up once, so that the first request finds servers. A name that does not resolve is an error to
// be logged: the pool serves without it and Run keeps trying.
func (p *Pool) Prepare(ctx context.Context) error {
	var failed error
	for _, n := range p.names {
		if err := p.lookUp(ctx, n); err != nil {
			failed = err
		}
	}
	return failed
}

func (p *Pool) lookUpDue(ctx context.Context, wg *sync.WaitGroup) {
	now := p.since()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.names {
		if n.looking || now < n.next {
			continue
		}
		n.looking = true
		wg.Go(func() {
			err := p.lookUp(ctx, n)
			if err != nil && ctx.Err() == nil {
				p.log.Warn("name not resolved, last good addresses kept", "upstream", p.spec.Name, "server", n.spec.Name, "err", err)
			}
		})
	}
}

// lookUp asks for one name's addresses. An empty or failed answer changes nothing.
func (p *Pool) lookUp(ctx context.Context, n *name) error {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	found, err := p.resolver.LookupNetIP(ctx, "ip", n.host)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("look up %s: empty answer", n.host)
	}
	p.mu.Lock()
	n.looking, n.next = false, p.since()+lookUpEvery
	if err != nil {
		p.mu.Unlock()
		return err
	}
	idle := p.replace(n, n.endpoints(found))
	p.mu.Unlock()
	closeAll(idle)
	return nil
}

// endpoints turns addresses into servers to be: one per IPv4 address, each with an IPv6 one to fall back to where both
// exist (a local name often has both and a server listens on one), one per IPv6 address otherwise.
func (n *name) endpoints(found []netip.Addr) [][]string {
	var four, six []string
	slices.SortFunc(found, netip.Addr.Compare)
	for _, addr := range slices.Compact(found) {
		addr = addr.Unmap()
		if addr.Is4() {
			four = append(four, net.JoinHostPort(addr.String(), n.port))
		} else {
			six = append(six, net.JoinHostPort(addr.String(), n.port))
		}
	}
	first, second := four, six
	if len(four) == 0 {
		first, second = six, nil
	}
	var all [][]string
	for i, addr := range first[:min(len(first), maxAddresses)] {
		addrs := []string{addr}
		if i < len(second) {
			addrs = append(addrs, second[i])
		}
		all = append(all, addrs)
	}
	return all
}

// replace makes the servers of n those of addrs, keeping the ones that stay; called with mu held, returns connections to close.
func (p *Pool) replace(n *name, addrs [][]string) []*Conn {
	var kept, gone []*Server
	for _, s := range p.servers {
		stays := slices.ContainsFunc(addrs, func(a []string) bool { return slices.Equal(a, s.addrs) })
		if s.from == n && !stays {
			gone = append(gone, s)
			continue
		}
		kept = append(kept, s)
	}
	for _, a := range addrs {
		have := slices.ContainsFunc(kept, func(s *Server) bool { return s.from == n && slices.Equal(a, s.addrs) })
		if !have {
			kept = append(kept, newServer(n.spec, n, a))
		}
	}
	var idle []*Conn
	for _, s := range gone {
		s.removed = true
		idle = append(idle, p.takeIdle(s, len(s.idle))...)
	}
	p.servers = kept
	p.recount()
	return idle
}
