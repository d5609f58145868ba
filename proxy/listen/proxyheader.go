package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// The PROXY protocol, versions 1 and 2 (haproxy.org/download/2.6/doc/proxy-protocol.txt). The header is read to its last
// byte and no further, so that nothing of TLS or HTTP behind it need be kept.
const (
	signature = "\r\n\r\n\x00\r\nQUIT\n" // version 2
	maxLine   = 107                      // version 1, CRLF included
	maxBlock  = 2048                     // version 2, type-length-values included
)

var errProxyHeader = errors.New("malformed")

// readProxyHeader returns the client that the header names; the zero AddrPort when it names none (LOCAL, UNKNOWN, unix).
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	var start [len(signature)]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return netip.AddrPort{}, err
	}
	if string(start[:]) == signature {
		return readVersion2(r)
	}
	line := append(make([]byte, 0, maxLine), start[:]...)
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		var b [1]byte
		if len(line) == maxLine || bytes.IndexByte(line, '\n') >= 0 {
			return netip.AddrPort{}, errProxyHeader
		}
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return netip.AddrPort{}, err
		}
		line = append(line, b[0])
	}
	return parseVersion1(string(line[:len(line)-2]))
}

// parseVersion1 takes the line without its CRLF: PROXY TCP4 source destination port port.
func parseVersion1(line string) (netip.AddrPort, error) {
	if line == "PROXY UNKNOWN" || strings.HasPrefix(line, "PROXY UNKNOWN ") {
		return netip.AddrPort{}, nil
	}
	parts := strings.Split(line, " ")
	if len(parts) != 6 || parts[0] != "PROXY" || (parts[1] != "TCP4" && parts[1] != "TCP6") {
		return netip.AddrPort{}, errProxyHeader
	}
	source, err := parseAddr(parts[2], parts[4], parts[1] == "TCP4")
	if err != nil {
		return netip.AddrPort{}, err
	}
	if _, err := parseAddr(parts[3], parts[5], parts[1] == "TCP4"); err != nil {
		return netip.AddrPort{}, err
	}
	return source, nil
}

func parseAddr(host, port string, four bool) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" || addr.Is4() != four {
		return netip.AddrPort{}, errProxyHeader
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return netip.AddrPort{}, errProxyHeader
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}

// readVersion2 reads what follows the signature: version and command, family, length, addresses.
func readVersion2(r io.Reader) (netip.AddrPort, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return netip.AddrPort{}, err
	}
	command, family := head[0], head[1]
	length := int(binary.BigEndian.Uint16(head[2:]))
	if command != 0x20 && command != 0x21 || length > maxBlock {
		return netip.AddrPort{}, errProxyHeader
	}
	block := make([]byte, length)
	if _, err := io.ReadFull(r, block); err != nil {
		return netip.AddrPort{}, err
	}
	if command == 0x20 { // LOCAL: the balancer's own check
		return netip.AddrPort{}, nil
	}
	switch {
	case family == 0x11 && length >= 12:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(block[:4])), binary.BigEndian.Uint16(block[8:])), nil
	case family == 0x21 && length >= 36:
		addr := netip.AddrFrom16([16]byte(block[:16])).Unmap()
		return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(block[32:])), nil
	case family == 0x00 || family == 0x31 && length >= 216: // unspecified, unix
		return netip.AddrPort{}, nil
	}
	return netip.AddrPort{}, errProxyHeader
}
