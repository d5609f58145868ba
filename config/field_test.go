package config

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// eachTable calls visit for every table of the configuration with the path the reference knows it by.
func eachTable(at string, table reflect.Type, visit func(at string, fields []field)) {
	fields := fieldsOf(table)
	visit(at, fields)
	for _, f := range fields {
		s, inner := shapeOf(f.typ)
		path := join(at, f.key)
		switch s {
		case shapeNamed:
			eachTable(join(path, "NAME"), inner, visit)
		case shapeTable, shapeTables:
			eachTable(path, inner, visit)
		case shapeValue, shapeList:
		}
	}
}

func TestFields_EveryKey_IsDocumentedAndSpelledInSnakeCase(t *testing.T) {
	t.Parallel()
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	eachTable("", reflect.TypeFor[Config](), func(at string, fields []field) {
		seen := map[string]bool{}
		for _, f := range fields {
			path := join(at, f.key)
			if !snake.MatchString(f.key) || f.doc == "" || !strings.HasSuffix(f.doc, ".") {
				t.Errorf("%s: want a key in snake case and a sentence, got %q", path, f.doc)
			}
			if seen[f.key] || notYet[path] {
				t.Errorf("%s: there twice, or still refused as not supported yet", path)
			}
			seen[f.key] = true
			if f.required && f.hasDef {
				t.Errorf("%s: required, and has a default", path)
			}
		}
	})
}

func TestFields_EveryDefault_FitsItsOwnPatternRangeAndWords(t *testing.T) {
	t.Parallel()
	eachTable("", reflect.TypeFor[Config](), func(at string, fields []field) {
		for _, f := range fields {
			s, inner := shapeOf(f.typ)
			if s != shapeValue && s != shapeList {
				continue
			}
			for text := range strings.SplitSeq(f.def, ", ") {
				v := reflect.New(inner).Interface().(value)
				if f.def == "" {
					continue
				}
				if err := v.decode(fromTag(v, text)); err != nil {
					t.Errorf("%s: %v", join(at, f.key), err)
				}
				if err := inRange(v, f); err != nil {
					t.Errorf("%s: %v", join(at, f.key), err)
				}
				if !regexp.MustCompile(v.pattern()).MatchString(text) {
					t.Errorf("%s: the schema's pattern %s does not take %s", join(at, f.key), v.pattern(), text)
				}
			}
		}
	})
}

func TestSchema_EveryTable_IsClosedAndNamesItsKeys(t *testing.T) {
	t.Parallel()
	var schema struct {
		Additional any                        `json:"additionalProperties"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	text := Schema()
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		if schema.Properties[f.key] == nil {
			t.Errorf("no %s", f.key)
		}
	}
	tables := 0
	eachTable("", reflect.TypeFor[Config](), func(string, []field) { tables++ })
	closed := strings.Count(string(text), `"additionalProperties": false`)
	if schema.Additional != false || closed < tables {
		t.Errorf("%d of %d tables are closed", closed, tables)
	}
}
