package proxy

// local takes a request that serin itself answers on this listener.
func (x *exchange) local() bool {
	prefix, path := x.client.options.Local, x.routed.Path
	if x.snap.Local == nil || len(path) <= len(prefix) || path[len(prefix)] != '/' || string(path[:len(prefix)]) != prefix {
		return false
	}
	x.route = x.snap.Local
	return true
}
