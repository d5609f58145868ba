package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// any of the alternatives will do.
func anyOf(choices ...is) is {
	return func(m *message) error {
		var err error
		for _, c := range choices {
			if err = c(m); err == nil {
				return nil
			}
		}
		return err
	}
}

func status(want ...int) is {
	return func(m *message) error {
		if !slices.Contains(want, m.status) {
			return fmt.Errorf("status %d, want %v", m.status, want)
		}
		return nil
	}
}

// target wants the request target, byte for byte.
func target(want string) is {
	return func(m *message) error {
		if m.target != want {
			return fmt.Errorf("target %s, want %s", short(m.target), short(want))
		}
		return nil
	}
}

func method(want string) is {
	return func(m *message) error {
		if m.method != want {
			return fmt.Errorf("method %q, want %q", m.method, want)
		}
		return nil
	}
}

func version(want ...string) is {
	return func(m *message) error {
		if !slices.Contains(want, m.version) {
			return fmt.Errorf("version %q, want one of %q", m.version, want)
		}
		return nil
	}
}

// header wants exactly these lines of a field, in this order.
func header(name string, want ...string) is {
	return func(m *message) error {
		if got := m.values(name); !slices.Equal(got, want) {
			return fmt.Errorf("%s %q, want %q", name, got, want)
		}
		return nil
	}
}

// elements wants the lines of a field to be this list (RFC 9110 5.3: lines and commas are the same).
func elements(name string, want ...string) is {
	return func(m *message) error {
		if got := m.list(name); !slices.Equal(got, want) {
			return fmt.Errorf("%s %q, want the list %q", name, got, want)
		}
		return nil
	}
}

// without wants none of these fields.
func without(names ...string) is {
	return func(m *message) error {
		for _, name := range names {
			if got := m.values(name); len(got) > 0 {
				return fmt.Errorf("%s %q, want none", name, got)
			}
		}
		return nil
	}
}

// hasElement wants a field to list an element, in whatever case.
func hasElement(name, element string) is {
	return func(m *message) error {
		if withoutElement(name, element)(m) == nil {
			return fmt.Errorf("%s %q, want %s among it", name, m.values(name), element)
		}
		return nil
	}
}

// withoutElement wants a field not to list an element.
func withoutElement(name, element string) is {
	return func(m *message) error {
		for _, e := range m.list(name) {
			if strings.EqualFold(e, element) {
				return fmt.Errorf("%s lists %s", name, element)
			}
		}
		return nil
	}
}

// nowhere wants no line to hold s, names included.
func nowhere(s string) is {
	return func(m *message) error {
		for _, f := range append(append([]field(nil), m.fields...), m.trailers...) {
			if strings.Contains(strings.ToLower(f.name+": "+f.value), strings.ToLower(s)) {
				return fmt.Errorf("%q holds %q", f.name+": "+f.value, s)
			}
		}
		return nil
	}
}

// exactName wants a field name in this very case.
func exactName(name string) is {
	return func(m *message) error {
		if !slices.ContainsFunc(m.fields, func(f field) bool { return f.name == name }) {
			return fmt.Errorf("no field %q in this case", name)
		}
		return nil
	}
}

// inOrder wants these names among the fields, in this order.
func inOrder(names ...string) is {
	return func(m *message) error {
		i := 0
		for _, f := range m.fields {
			if i < len(names) && strings.EqualFold(f.name, names[i]) {
				i++
			}
		}
		if i < len(names) {
			return fmt.Errorf("no %s after %q", names[i], names[:i])
		}
		return nil
	}
}

func body(want string) is {
	return func(m *message) error {
		if m.body != want {
			return fmt.Errorf("body %s, want %s", short(m.body), short(want))
		}
		return nil
	}
}

func framed(want ...framing) is {
	return func(m *message) error {
		if !slices.Contains(want, m.framing) {
			return fmt.Errorf("framed by %s, want %v", m.framing, want)
		}
		return nil
	}
}

// trailer wants exactly these trailer lines of a name; no value: none.
func trailer(name string, want ...string) is {
	return func(m *message) error {
		var got []string
		for _, f := range m.trailers {
			if strings.EqualFold(f.name, name) {
				got = append(got, f.value)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("trailer %s %q, want %q", name, got, want)
		}
		return nil
	}
}

// interims wants these interim answers before the final one.
func interims(want ...int) is {
	return func(m *message) error {
		var got []int
		for _, i := range m.interim {
			got = append(got, i.status)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("interim answers %v, want %v", got, want)
		}
		return nil
	}
}

// interimHas looks at the nth interim answer.
func interimHas(n int, want ...is) is {
	return func(m *message) error {
		if n >= len(m.interim) {
			return fmt.Errorf("%d interim answers", len(m.interim))
		}
		return all(m.interim[n], want)
	}
}

// echoed wants the answer that the upstream gave to this request.
func echoed(methodAndTarget string) is { return header("X-Echo", methodAndTarget) }

// onConn wants the request on the upstream's nth connection.
func onConn(n int) is {
	return func(m *message) error {
		if m.conn != n {
			return fmt.Errorf("on connection %d, want %d", m.conn, n)
		}
		return nil
	}
}

// isDated wants one Date, of now.
func isDated() is {
	return func(m *message) error {
		values := m.values("Date")
		if len(values) != 1 {
			return fmt.Errorf("dates %q, want one", values)
		}
		at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", values[0])
		if age := time.Since(at); err != nil || age < -time.Minute || age > time.Minute {
			return fmt.Errorf("date %q is not now", values[0])
		}
		return nil
	}
}

// reason wants the status line's text.
func reason(want string) is {
	return func(m *message) error {
		if _, got, _ := strings.Cut(m.line, fmt.Sprintf(" %d ", m.status)); got != want {
			return fmt.Errorf("reason %q, want %q", got, want)
		}
		return nil
	}
}
