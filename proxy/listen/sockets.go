package listen

import (
	"fmt"
	"net"
	"slices"

	"github.com/coreos/go-systemd/v22/activation"
)

// Sockets are the listeners systemd passed, by FileDescriptorName.
type Sockets map[string][]net.Listener

// Inherit takes the sockets that systemd passed to the process. Call it once, at the start: it clears the environment
// that names them.
func Inherit() (Sockets, error) {
	named, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("take systemd's sockets: %w", err)
	}
	return named, nil
}

// take hands out one listener of a name; each is given away once.
func (s Sockets) take(name string) (net.Listener, error) {
	for i, l := range s[name] {
		if l != nil {
			s[name][i] = nil
			return l, nil
		}
	}
	return nil, fmt.Errorf("no socket called %q was passed", name)
}

// Left are the names of the sockets that nobody took.
func (s Sockets) Left() []string {
	var names []string
	for name, listeners := range s {
		for _, l := range listeners {
			if l != nil {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
