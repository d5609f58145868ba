package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Any is a value of any kind, as a flag may have: text, true or false, a number, a list or a table. Dates and times become
// text; numbers that JSON has no word for are refused.
type Any struct{ raw any }

func (a *Any) decode(raw any) error {
	plain, err := plainValue(raw)
	if err != nil {
		return err
	}
	a.raw = plain
	return nil
}

func (a Any) literal() string { return tomlOf(a.raw) }
func (Any) unit() string      { return "any value" }
func (Any) pattern() string   { return "" }

// plainValue reduces what the TOML library made of a value to what JSON has too.
func plainValue(raw any) (any, error) {
	switch v := raw.(type) {
	case string, bool, int64:
		return v, nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, errors.New("want a number, got inf or nan, which JSON has no word for")
		}
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case []any:
		return plainList(v)
	case []map[string]any:
		return plainList(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, one := range v {
			plain, err := plainValue(one)
			if err != nil {
				return nil, err
			}
			out[key] = plain
		}
		return out, nil
	}
	return nil, fmt.Errorf("want a value, got %T", raw)
}

func plainList[T any](list []T) ([]any, error) {
	out := make([]any, len(list))
	for i, one := range list {
		plain, err := plainValue(one)
		if err != nil {
			return nil, err
		}
		out[i] = plain
	}
	return out, nil
}

// tomlOf writes a plain value in one line.
func tomlOf(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text
	case []any:
		texts := make([]string, len(v))
		for i, one := range v {
			texts[i] = tomlOf(one)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case map[string]any:
		texts := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			texts = append(texts, tomlKey(key)+" = "+tomlOf(v[key]))
		}
		return "{ " + strings.Join(texts, ", ") + " }"
	}
	panic(fmt.Sprintf("BUG: %T is no plain value", value))
}

func tomlKey(key string) string {
	if key != "" && strings.Trim(key, bareKey) == "" {
		return key
	}
	return quote(key)
}

// kindOfValue is what OpenFeature calls the type of a plain value; whole and broken numbers are one.
func kindOfValue(value any) string {
	switch value.(type) {
	case bool:
		return "true/false"
	case string:
		return "text"
	case int64, float64:
		return "number"
	case []any:
		return "list"
	}
	return "table"
}

// Variants are a flag's values by arm.
type Variants map[string]any

func (v *Variants) decode(raw any) error {
	table, ok := raw.(map[string]any)
	if !ok || len(table) == 0 {
		return wanted(`values by arm, such as { control = "red", green = "green" }`, raw)
	}
	plain, err := plainValue(table)
	if err != nil {
		return err
	}
	*v = plain.(map[string]any)
	return nil
}

func (v Variants) literal() string { return tomlOf(map[string]any(v)) }
func (Variants) unit() string      { return "values by arm" }
func (Variants) pattern() string   { return "" }

// Lines are header fields by name.
type Lines map[string]string

func (l *Lines) decode(raw any) error {
	table, ok := raw.(map[string]any)
	if !ok {
		return wanted(`header fields, such as { X-Button = "green" }`, raw)
	}
	lines := Lines{}
	for name, value := range table {
		text, ok := value.(string)
		switch {
		case !isToken(name):
			return fmt.Errorf("%s is no name of a header", show(name))
		case !ok || !isFieldText(text):
			return fmt.Errorf("%s: want text without control characters, got %s", name, show(value))
		}
		lines[name] = text
	}
	*l = lines
	return nil
}

func (l Lines) literal() string {
	plain := make(map[string]any, len(l))
	for name, text := range l {
		plain[name] = text
	}
	return tomlOf(plain)
}
func (Lines) unit() string    { return "header fields" }
func (Lines) pattern() string { return "" }

// isFieldText reports whether a header field can carry text as it is, without losing spaces at its ends.
func isFieldText(text string) bool {
	return len(text) <= 4096 && strings.Trim(text, " \t") == text && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || r > 0x7e })
}
