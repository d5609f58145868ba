package config

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// decoder walks the tree of a file and fills a Config, collecting what is wrong on the way. A value that is wrong is
// left at its default, so that what follows from it is not reported as well.
type decoder struct {
	file     string
	lines    index
	problems []Problem
	bad      map[string]bool // paths with a problem of their own
	within   map[string]bool // these and all tables around them
	given    map[string]bool // paths that are in the file
}

func newDecoder(file string, lines index) *decoder {
	return &decoder{file: file, lines: lines, bad: map[string]bool{}, within: map[string]bool{}, given: map[string]bool{}}
}

// report adds a problem at a path.
func (d *decoder) report(at, text, hint string) {
	d.bad[at] = true
	for path := at; path != "" && !d.within[path]; path = parent(path) {
		d.within[path] = true
	}
	d.problems = append(d.problems, Problem{File: d.file, Line: d.lines.at(at), Key: at, Text: text, Hint: hint})
}

// anyBad reports whether a value or table, or anything in it, has a problem.
func (d *decoder) anyBad(at string) bool { return d.within[at] }

// near is the hint for a mistyped word; "" when no candidate is near, and in a file with more problems than anybody
// reads hints for.
func (d *decoder) near(word string, candidates iter.Seq[string]) string {
	const readable = 200
	if len(d.problems) > readable {
		return ""
	}
	return didYouMean(Suggest(word, candidates))
}

// didYouMean is the hint that names a word; none for "".
func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return "did you mean " + quote(word) + "?"
}

// table decodes one table. At is its path in the file, kind the path the reference knows it by ("rollout.NAME.gate").
func (d *decoder) table(at, kind string, tree map[string]any, into reflect.Value) {
	fields := fieldsOf(into.Type())
	known := map[string]field{}
	for _, f := range fields {
		known[f.key] = f
	}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if _, ok := known[key]; !ok {
			d.unknown(at, kind, key, known)
		}
	}
	for _, f := range fields {
		raw, ok := tree[f.key]
		path, sub := join(at, f.key), join(kind, f.key)
		switch {
		case ok:
			d.given[path] = true
			d.field(path, sub, f, raw, into.Field(f.index))
		case f.required:
			d.report(at, fmt.Sprintf("%s is missing", f.key), "")
			d.bad[path] = true
		default:
			d.absent(path, sub, f, into.Field(f.index))
		}
	}
}

// unknown reports a key that no field has: one of later work, or a mistake.
func (d *decoder) unknown(at, kind, key string, known map[string]field) {
	path := join(at, key)
	if notYet[join(kind, key)] {
		d.report(path, "not supported yet", "")
		return
	}
	hint := didYouMean(meant[join(kind, key)])
	if hint == "" {
		hint = d.near(key, maps.Keys(known))
	}
	d.report(path, "unknown key", hint)
}

// absent gives a field that the file leaves out its default; tables within get theirs.
func (d *decoder) absent(at, kind string, f field, into reflect.Value) {
	if into.Kind() == reflect.Pointer {
		return
	}
	switch s, _ := shapeOf(f.typ); {
	case s == shapeTable:
		d.table(at, kind, nil, into)
	case f.hasDef && s == shapeList:
		var list []any
		for text := range strings.SplitSeq(f.def, ", ") {
			list = append(list, text)
		}
		d.field(at, kind, f, list, into)
	case f.hasDef:
		v := into.Addr().Interface().(value)
		if err := v.decode(fromTag(v, f.def)); err != nil {
			panic("BUG: default of " + kind + ": " + err.Error())
		}
	}
}

// field decodes what the file gives for one field.
func (d *decoder) field(at, kind string, f field, given any, into reflect.Value) {
	if into.Kind() == reflect.Pointer {
		fresh := reflect.New(into.Type().Elem())
		into.Set(fresh)
		into = fresh.Elem()
	}
	s, inner := shapeOf(f.typ)
	switch s {
	case shapeValue:
		d.value(at, kind, f, given, into)
	case shapeList:
		list, ok := given.([]any)
		if !ok {
			d.report(at, wanted("a list in brackets", given).Error(), "")
			return
		}
		if f.some && len(list) == 0 {
			d.report(at, "lists nothing: leave the key out where all are meant", "")
		}
		into.Set(reflect.MakeSlice(into.Type(), len(list), len(list)))
		for i, one := range list {
			d.value(element(at, i), kind, f, one, into.Index(i))
		}
	case shapeTable:
		tree, ok := given.(map[string]any)
		if !ok {
			d.report(at, wanted("a table", given).Error(), "")
			return
		}
		d.table(at, kind, tree, into)
	case shapeTables:
		d.tables(at, kind, f, given, into)
	case shapeNamed:
		d.named(at, kind, inner, given, into)
	}
}

// value decodes one value and checks its words and its range.
func (d *decoder) value(at, kind string, f field, given any, into reflect.Value) {
	v := into.Addr().Interface().(value)
	err := v.decode(given)
	if err == nil {
		err = inRange(v, f)
	}
	hint := ""
	if text, ok := v.(*Text); ok && err == nil && f.enum != nil && !slices.Contains(f.enum, string(*text)) {
		err = wanted(oneOf(f.enum), given)
		hint = d.near(string(*text), slices.Values(f.enum))
	}
	if err == nil && blank(v) && shapeIs(f, shapeValue) {
		err = errors.New("is empty: fill it in, or leave the key out")
		if f.required {
			err = errors.New("is empty: fill it in")
		}
	}
	if err == nil {
		return
	}
	d.report(at, err.Error(), hint)
	into.SetZero()
	if f.hasDef && into.Type() == f.typ {
		d.absent(at, kind, f, into)
	}
}

// blank reports whether a value is a text that says nothing, such as a template's variable that was not set. It must not
// quietly mean that the key was left out: client_ca = "" would let everybody in.
func blank(v value) bool {
	switch v := v.(type) {
	case *Text:
		return *v == ""
	case *URL:
		return *v == ""
	}
	return false
}

// shapeIs reports whether a field has a shape.
func shapeIs(f field, want shape) bool {
	s, _ := shapeOf(f.typ)
	return s == want
}

// inRange checks a value against its field's range.
func inRange(v value, f field) error {
	r, ok := v.(ranked)
	if !ok {
		return nil
	}
	for _, bound := range []struct {
		text, words string
		sign        float64
	}{{f.min, "at least", 1}, {f.max, "at most", -1}} {
		if bound.text == "" {
			continue
		}
		limit := reflect.New(reflect.TypeOf(v).Elem()).Interface().(value)
		if err := limit.decode(fromTag(limit, bound.text)); err != nil {
			panic("BUG: range of " + f.key + ": " + err.Error())
		}
		if (r.rank()-limit.(ranked).rank())*bound.sign < 0 {
			return fmt.Errorf("want %s %s, got %s", bound.words, bound.text, strings.Trim(v.literal(), `"`))
		}
	}
	return nil
}

// tables decodes a list of tables.
func (d *decoder) tables(at, kind string, f field, given any, into reflect.Value) {
	if one, ok := given.(map[string]any); ok && f.single {
		into.Set(reflect.MakeSlice(into.Type(), 1, 1))
		d.table(at, kind, one, into.Index(0))
		return
	}
	list, ok := given.([]map[string]any)
	if plain, isList := given.([]any); isList {
		ok = true
		for _, one := range plain {
			tree, isTable := one.(map[string]any)
			ok = ok && isTable
			list = append(list, tree)
		}
	}
	if !ok {
		d.report(at, wanted("tables, [["+kind+"]]", given).Error(), "")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(list), len(list)))
	for i, tree := range list {
		d.table(element(at, i), kind, tree, into.Index(i))
	}
}

// named decodes tables by name.
func (d *decoder) named(at, kind string, table reflect.Type, given any, into reflect.Value) {
	trees, ok := given.(map[string]any)
	if !ok {
		d.report(at, wanted("tables, ["+kind+".NAME]", given).Error(), "")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		path := join(at, name)
		tree, ok := trees[name].(map[string]any)
		if !ok {
			d.report(path, wanted("a table, ["+path+"]", trees[name]).Error(), "")
			continue
		}
		if name == "" || len(name) > maxName || strings.Trim(name, nameBytes) != "" {
			d.report(path, fmt.Sprintf("a name has letters, digits, '.', '_' and '-', and at most %d of them", maxName), "")
		}
		fresh := reflect.New(table)
		d.table(path, join(kind, "NAME"), tree, fresh.Elem())
		into.SetMapIndex(reflect.ValueOf(name), fresh)
	}
}

// maxName is the length of the longest name of an upstream, route or rollout: names are labels, cookies' parts and URLs.
const maxName = 64

// nameBytes are the characters of a name.
const nameBytes = bareKey + "."

// oneOf lists words: `one of "a", "b"`.
func oneOf(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return "one of " + strings.Join(quoted, ", ")
}
