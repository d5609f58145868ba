package proxy

import (
	"serin/proxy/wire"
	"serin/router"
)

// anyPath stands for the path where only the host is looked at.
var anyPath = []byte("/")

// welcome refuses requests that the listener's options do not let in.
func (x *exchange) welcome() bool {
	r, o := &x.request, x.client.options
	if o.Hosts != nil && o.Hosts.Match(&router.Request{Host: r.Host, Path: anyPath}) == nil {
		return x.refuse(byClient, 421, "unknown_host", "This host is not served here.")
	}
	if o.PlainPaths && r.AmbiguousPath() {
		return x.refuse(byClient, 400, "ambiguous_path", "The path can be read in more than one way.")
	}
	if o.Via != "" && r.ViaSeen(o.Via) {
		return x.refuse(byClient, 508, "loop", "The request has been here before.")
	}
	return true
}

// errBodySlow ends an upload below the least rate.
var errBodySlow = &wire.Error{Status: 408, Reason: "body_too_slow", Text: "The request's body came too slowly."}
