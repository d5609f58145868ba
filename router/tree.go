package router

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// node is one place of a host's paths in a radix tree. The path to it is the joined text of its ancestors and its own.
//
//	""──"/"──┬──"checkout"(exact)──"/"(prefix)──"pay"(exact)
//	         └──"img/"(prefix)
//
// The walk stops at the deepest place the request's path reaches; the up links from there are all shorter prefixes.
type node struct {
	text     string
	firsts   string  // first byte of each child's text, in order
	children []*node // same order
	exact    []rule  // for a path that ends here
	prefix   []rule  // for a path that comes by
	up       *node   // the nearest ancestor with prefix rules
}

// match returns the route of the best rule for the request's path, or -1. A nil node has none.
func (n *node) match(r *Request) int {
	if n == nil {
		return -1
	}
	rest := r.Path
	for len(rest) > 0 {
		i := strings.IndexByte(n.firsts, rest[0])
		if i < 0 {
			break
		}
		child := n.children[i]
		if len(rest) < len(child.text) || string(rest[:len(child.text)]) != child.text {
			break
		}
		n, rest = child, rest[len(child.text):]
	}
	if len(rest) == 0 {
		if i := firstMatch(n.exact, r); i >= 0 {
			return i
		}
	}
	for ; n != nil; n = n.up {
		if i := firstMatch(n.prefix, r); i >= 0 {
			return i
		}
	}
	return -1
}

func firstMatch(rules []rule, r *Request) int {
	for i := range rules {
		if rules[i].matches(r) {
			return rules[i].route
		}
	}
	return -1
}

// patterns are the rules of one host by path text, while a table is built.
type patterns map[string]*place

type place struct{ exact, prefix []rule }

// add files a rule under its path; ok is false, and twin says which route, when another takes the same requests.
func (p patterns) add(path string, c rule) (twin int, ok bool) {
	text, isPrefix := pathText(path)
	at := p[text]
	if at == nil {
		at = &place{}
		p[text] = at
	}
	rules := &at.exact
	if isPrefix {
		rules = &at.prefix
	}
	for i := range *rules {
		if (*rules)[i].sameAs(&c) {
			return (*rules)[i].route, false
		}
	}
	*rules = append(*rules, c)
	return 0, true
}

// index builds the tree.
func (p patterns) index() *node {
	texts := make([]string, 0, len(p))
	for text, at := range p {
		texts = append(texts, text)
		for _, rules := range [][]rule{at.exact, at.prefix} {
			slices.SortFunc(rules, func(a, b rule) int { return a.precedes(&b) })
		}
	}
	sort.Strings(texts)
	root := &node{}
	if len(texts) > 0 && texts[0] == "" {
		root.prefix = p[""].prefix
		texts = texts[1:]
	}
	p.grow(root, texts, 0, root)
	return root
}

// grow adds the texts, sorted and all with the same first depth bytes, below n; up is where shorter prefixes start.
func (p patterns) grow(n *node, texts []string, depth int, up *node) {
	if len(n.prefix) > 0 {
		up = n
	}
	for len(texts) > 0 {
		first := texts[0][depth]
		group := sort.Search(len(texts), func(i int) bool { return texts[i][depth] > first })
		end := depth + commonPrefix(texts[0][depth:], texts[group-1][depth:])
		child := &node{text: texts[0][depth:end], up: up}
		inside := texts[:group]
		if len(inside[0]) == end {
			child.exact, child.prefix = p[inside[0]].exact, p[inside[0]].prefix
			inside = inside[1:]
		}
		p.grow(child, inside, end, up)
		n.firsts += string([]byte{first})
		n.children = append(n.children, child)
		texts = texts[group:]
	}
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// pathText returns the normal form of a configured path without its star. A prefix may end inside a segment, where
// dots are only dots: "/.*" is every hidden file, not the parent of anything.
func pathText(path string) (text string, isPrefix bool) {
	text, isPrefix = strings.CutSuffix(path, "*")
	if !isPrefix {
		if path == "" {
			return "", true
		}
		return string(NormalizePath(nil, []byte(path))), false
	}
	cut := strings.LastIndexByte(text, '/') + 1
	above := NormalizePath(nil, []byte(text[:cut]))
	return string(appendSegment(above, []byte(text[cut:]))), true
}

// checkPath refuses paths that could never match.
func checkPath(path string) error {
	if path == "" {
		return nil
	}
	if path[0] != '/' {
		return fmt.Errorf("path %q does not begin with a slash", path)
	}
	if strings.Contains(path[:len(path)-1], "*") {
		return fmt.Errorf("path %q: a star stands only at the end, as in /checkout/*", path)
	}
	if strings.ContainsAny(path, "?#") {
		return fmt.Errorf("path %q: a path has neither query nor fragment", path)
	}
	return nil
}
