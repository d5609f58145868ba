package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Effective writes the configuration in force as TOML: every key with its value, defaults and derived values included.
// Secrets appear as the references they are in the file, never as what they refer to. Parsing the text again gives the
// same plan, files and environment being the same.
func Effective(p *Plan) string {
	w := &effective{}
	w.table("", false, reflect.ValueOf(p.config).Elem())
	return strings.TrimLeft(w.b.String(), "\n")
}

// Tree is what Effective wrote as tables, lists and values, for readers that have JSON and no TOML.
func Tree(effective string) (map[string]any, error) {
	tree := map[string]any{}
	if _, err := toml.Decode(effective, &tree); err != nil {
		return nil, fmt.Errorf("read the effective configuration: %w", err)
	}
	return tree, nil
}

// effective writes TOML.
type effective struct{ b strings.Builder }

// table writes a table: its values first, as TOML asks, then the tables within.
func (w *effective) table(at string, element bool, v reflect.Value) {
	if at != "" {
		open, end := "[", "]"
		if element {
			open, end = "[[", "]]"
		}
		w.b.WriteString("\n" + open + at + end + "\n")
	}
	fields := fieldsOf(v.Type())
	for _, f := range fields {
		text, ok := literalOf(v.Field(f.index))
		if f.hasDef && shapeIs(f, shapeList) && v.Field(f.index).Len() == 0 {
			text, ok = "[]", true // what the file says, not the default
		}
		if ok {
			w.b.WriteString(f.key + " = " + text + "\n")
		}
	}
	for _, f := range fields {
		w.inner(join(at, f.key), v.Field(f.index))
	}
}

// inner writes the tables of a field.
func (w *effective) inner(at string, v reflect.Value) {
	switch s, _ := shapeOf(v.Type()); s {
	case shapeTables:
		for i := range v.Len() {
			w.table(at, true, v.Index(i))
		}
	case shapeNamed:
		names := make([]string, 0, v.Len())
		for _, name := range v.MapKeys() {
			names = append(names, name.String())
		}
		slices.Sort(names)
		for _, name := range names {
			w.table(join(at, name), false, v.MapIndex(reflect.ValueOf(name)).Elem())
		}
	case shapeTable:
		if v.Kind() != reflect.Pointer {
			w.table(at, false, v)
		} else if !v.IsNil() {
			w.table(at, false, v.Elem())
		}
	case shapeValue, shapeList:
	}
}

// literalOf writes the value of a field; false for tables and for what is left out and has no default.
func literalOf(v reflect.Value) (string, bool) {
	s, _ := shapeOf(v.Type())
	switch {
	case s == shapeList && v.Len() > 0:
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = v.Index(i).Addr().Interface().(value).literal()
		}
		return "[" + strings.Join(texts, ", ") + "]", true
	case s != shapeValue:
		return "", false
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return "", false
		}
		return v.Interface().(value).literal(), true
	}
	one := v.Addr().Interface().(value)
	switch one := one.(type) {
	case *Text:
		return one.literal(), *one != ""
	case *URL:
		return one.literal(), *one != ""
	case *PathPattern:
		return one.literal(), *one != ""
	case *Rungs:
		return one.literal(), len(*one) > 0
	case *FlagPath:
		return one.literal(), *one != ""
	case *Variants:
		return one.literal(), len(*one) > 0
	case *Lines:
		return one.literal(), len(*one) > 0
	}
	return one.literal(), true
}
