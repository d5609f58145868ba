package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"serin/gate/criterion"
)

// Reference writes the reference of the configuration as Markdown: a table of keys for each table of the file.
func Reference() string {
	r := &reference{}
	r.b.WriteString(referenceHead)
	r.table("", reflect.TypeFor[Config]())
	r.b.WriteString("## Metrics\n\nWhat a gate can measure.\n\n| metric | what it is |\n|---|---|\n")
	for _, metric := range criterion.Metrics() {
		r.b.WriteString("| `" + metric + "` | " + criterion.Doc(metric) + " |\n")
	}
	r.b.WriteString("\n## Not supported yet\n\nKnown and refused:")
	for _, key := range slices.Sorted(maps.Keys(notYet)) {
		r.b.WriteString(" `" + strings.ReplaceAll(key, "NAME", "*") + "`")
	}
	r.b.WriteString(".\n")
	return r.b.String()
}

// referenceHead is what the reference says before its tables.
const referenceHead = "# Configuration reference\n\n" +
	"Generated from the field tables of package config. One TOML file; unknown keys are errors.\n\n" +
	"Durations are `\"15m\"`, `\"1h30m\"`, `\"7d\"`; shares `\"0.5%\"`; percentage points `\"0.1pt\"`; sizes `\"32KiB\"` (B, KiB, MiB, GiB).\n" +
	"A secret is `{ file = \"PATH\" }`, `{ env = \"NAME\" }` or `{ credential = \"NAME\" }` (below `$CREDENTIALS_DIRECTORY`).\n" +
	"Files are relative to the configuration file's directory.\n\n"

// reference writes Markdown.
type reference struct{ b strings.Builder }

// table writes one table's keys, then the tables within.
func (r *reference) table(at string, t reflect.Type) {
	fields := fieldsOf(t)
	if at != "" {
		r.b.WriteString("| key | kind | default | what it does |\n|---|---|---|---|\n")
		for _, f := range fields {
			r.b.WriteString("| `" + f.key + "` | " + kindOf(f) + " | " + defaultOf(f) + " | " + strings.ReplaceAll(f.doc, "|", `\|`) + " |\n")
		}
		r.b.WriteString("\n")
	}
	for _, f := range fields {
		s, inner := shapeOf(f.typ)
		path := join(at, f.key)
		heading := "[" + path + "]"
		switch s {
		case shapeNamed:
			path += ".NAME"
			heading = "[" + path + "]"
		case shapeTables:
			heading = "[[" + path + "]]"
		case shapeTable:
		default:
			continue
		}
		r.b.WriteString("## `" + heading + "`\n\n")
		if at == "" {
			r.b.WriteString(f.doc + "\n\n")
		}
		r.table(path, inner)
	}
}

// kindOf says what a field may be.
func kindOf(f field) string {
	s, inner := shapeOf(f.typ)
	switch s {
	case shapeTable:
		return "table"
	case shapeTables:
		return "tables"
	case shapeNamed:
		return "tables by name"
	}
	kind := reflect.New(inner).Interface().(value).unit()
	if f.enum != nil {
		kind = "`" + strings.Join(f.enum, "` `") + "`"
	}
	if s == shapeList {
		kind = "list: " + kind
	}
	switch {
	case f.min != "" && f.max != "":
		kind += ", " + f.min + " to " + f.max
	case f.min != "":
		kind += ", at least " + f.min
	case f.max != "":
		kind += ", at most " + f.max
	}
	return kind
}

// defaultOf is what a field is when left out.
func defaultOf(f field) string {
	switch {
	case f.required:
		return "required"
	case f.hasDef:
		return "`" + f.def + "`"
	}
	return ""
}

// Schema writes a JSON schema (draft 2020-12) of the configuration, for editors.
func Schema() []byte {
	root := schemaOf(reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "serin configuration"
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("BUG: encode the schema: " + err.Error())
	}
	return append(text, '\n')
}

// schemaOf describes a table.
func schemaOf(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range fieldsOf(t) {
		property := propertyOf(f)
		property["description"] = f.doc
		properties[f.key] = property
		if f.required {
			required = append(required, f.key)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// propertyOf describes a field.
func propertyOf(f field) map[string]any {
	s, inner := shapeOf(f.typ)
	switch s {
	case shapeTable:
		return schemaOf(inner)
	case shapeNamed:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(inner)}
	case shapeTables:
		list := map[string]any{"type": "array", "items": schemaOf(inner)}
		if f.single {
			return map[string]any{"oneOf": []any{schemaOf(inner), list}}
		}
		return list
	case shapeList:
		list := map[string]any{"type": "array", "items": valueSchema(f, inner)}
		if f.some {
			list["minItems"] = 1
		}
		return list
	case shapeValue:
	}
	return valueSchema(f, inner)
}

// valueSchema describes one value.
func valueSchema(f field, t reflect.Type) map[string]any {
	v := reflect.New(t).Interface().(value)
	schema := map[string]any{"type": "string"}
	switch v.(type) {
	case *Count:
		schema["type"] = "integer"
		for name, bound := range map[string]string{"minimum": f.min, "maximum": f.max} {
			if bound != "" {
				schema[name] = fromTag(v, bound)
			}
		}
		if f.min == "" {
			schema["minimum"] = 0
		}
	case *Flag:
		schema["type"] = "boolean"
	case *Any:
		return map[string]any{}
	case *Variants:
		return map[string]any{"type": "object", "minProperties": 1}
	case *Lines:
		return map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}}
	case *Pseudonym:
		return map[string]any{"oneOf": []any{map[string]any{"type": "boolean"}, map[string]any{"type": "string", "pattern": v.pattern()}}, "default": false}
	case *Limit:
		return map[string]any{"oneOf": []any{map[string]any{"type": "number"}, map[string]any{"type": "string", "pattern": v.pattern()}}}
	case *Rungs:
		text := map[string]any{"type": "string"}
		return map[string]any{"oneOf": []any{text, map[string]any{"type": "array", "items": text, "minItems": 1}}}
	case *Windows:
		text := map[string]any{"type": "string"}
		return map[string]any{"oneOf": []any{text, map[string]any{"type": "array", "items": text, "minItems": 1, "maxItems": maxWindows}}}
	case *Salt:
		reference := map[string]any{
			"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
			"properties": map[string]any{
				"file": map[string]any{"type": "string"}, "env": map[string]any{"type": "string"}, "credential": map[string]any{"type": "string"},
			},
		}
		return map[string]any{"oneOf": []any{map[string]any{"type": "string"}, reference}}
	}
	if pattern := v.pattern(); pattern != "" {
		schema["pattern"] = pattern
	}
	if f.enum != nil {
		schema["enum"] = f.enum
	}
	if f.hasDef && f.typ.Kind() != reflect.Slice {
		schema["default"] = fromTag(v, f.def)
	}
	return schema
}
