package config

import (
	"reflect"
	"strconv"
	"strings"
)

// field is one key of a table, as its struct field's tags say.
type field struct {
	key, doc string
	def      string // the value when left out
	hasDef   bool
	required bool
	single   bool // a list of tables that may be written as one table
	some     bool // a list that is not empty where it is there
	enum     []string
	min, max string
	index    int // of the struct's field
	typ      reflect.Type
}

// fieldsOf reads the tags of a table's struct, in the struct's order.
func fieldsOf(table reflect.Type) []field {
	fields := make([]field, 0, table.NumField())
	for i := range table.NumField() {
		tag := table.Field(i).Tag
		f := field{key: tag.Get("key"), doc: tag.Get("doc"), min: tag.Get("min"), max: tag.Get("max"), index: i, typ: table.Field(i).Type}
		f.def, f.hasDef = tag.Lookup("default")
		f.required = tag.Get("required") != ""
		f.single = tag.Get("single") != ""
		f.some = tag.Get("some") != ""
		if words := tag.Get("enum"); words != "" {
			f.enum = strings.Split(words, "|")
		}
		fields = append(fields, f)
	}
	return fields
}

// shape is what a field's type asks of the file.
type shape uint8

const (
	shapeValue  shape = iota // one value
	shapeList                // a list of values
	shapeTable               // a table
	shapeTables              // a list of tables
	shapeNamed               // tables by name
)

// shapeOf returns a type's shape and the type of its innermost value or table.
func shapeOf(t reflect.Type) (shape, reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[value]()) {
		return shapeValue, t
	}
	switch t.Kind() {
	case reflect.Struct:
		return shapeTable, t
	case reflect.Map:
		return shapeNamed, t.Elem().Elem()
	case reflect.Slice:
		if inner, elem := shapeOf(t.Elem()); inner == shapeTable {
			return shapeTables, elem
		}
		return shapeList, t.Elem()
	}
	panic("BUG: no shape for " + t.String())
}

// fromTag turns the text of a tag into what the TOML library would have made of it in the file.
func fromTag(v value, text string) any {
	switch v.(type) {
	case *Count:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case *Flag:
		return text == "true"
	case *Pseudonym:
		return text == "true" // the only text of a tag that is no name
	}
	return text
}
