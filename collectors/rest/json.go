package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
)

// parseObject reads a JSON object. Besides JSON it accepts what the vendor's
// documents show: True, False and None, keys that are numbers, missing and
// superfluous commas, objects in a list without their opening brace, and line
// ends within strings. Text that ends before the object is an error: it may be
// cut.
func parseObject(text []byte) (object, error) {
	r := jsonReader{text: bytes.TrimPrefix(text, []byte("\ufeff"))}
	if r.next() != '{' {
		return nil, errors.New("not a JSON object")
	}
	r.at++
	o, err := r.members(0)
	if err != nil {
		return nil, fmt.Errorf("JSON, at byte %d of %d: %w", r.at, len(text), err)
	}
	if r.next() != 0 || r.at < len(r.text) {
		return nil, fmt.Errorf("JSON: more after the end, at byte %d of %d", r.at, len(text))
	}
	return o, nil
}

// maxDepth bounds how deep JSON may be nested; the vendor's is four deep.
const maxDepth = 50

// maxValues bounds the values of an answer; one of 100 partitions has a few hundred.
const maxValues = 50_000

var errCut = errors.New("it ends too early")

// A jsonReader is JSON and how far it was read.
type jsonReader struct {
	text   []byte
	at     int
	values int
}

// next skips white space and returns the next byte, 0 at the end.
func (r *jsonReader) next() byte {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// members reads an object up to its closing brace.
func (r *jsonReader) members(depth int) (object, error) {
	o := make(object)
	for {
		switch c := r.next(); {
		case c == '}':
			r.at++
			return o, nil
		case c == ',':
			r.at++
			continue
		}
		key, err := r.key()
		if err != nil {
			return nil, err
		}
		if err := r.member(o, key, depth); err != nil {
			return nil, err
		}
	}
}

// key reads the name of a member: a string, or a number in its place.
func (r *jsonReader) key() (string, error) {
	if r.next() == '"' {
		return r.str()
	}
	word := r.word()
	switch {
	case r.at == len(r.text):
		return "", errCut
	case word == "" || strings.Trim(word, "0123456789") != "":
		return "", errors.New("a member without a name")
	}
	return word, nil
}

// member reads ": value".
func (r *jsonReader) member(o object, key string, depth int) error {
	switch r.next() {
	case ':':
	case 0:
		return errCut
	default:
		return fmt.Errorf("no colon after %q", answer.Clip(key, 40))
	}
	r.at++
	v, err := r.value(depth + 1)
	o[key] = v
	return err
}

func (r *jsonReader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	if r.values++; r.values > maxValues {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	switch r.next() {
	case '"':
		return r.str()
	case '{':
		r.at++
		return r.members(depth)
	case '[':
		r.at++
		return r.elements(depth)
	}
	word := r.word()
	switch word {
	case "true", "True":
		return true, nil
	case "false", "False":
		return false, nil
	case "null", "None":
		return nil, nil
	}
	switch {
	case r.at == len(r.text):
		return nil, errCut
	case word == "" || strings.IndexByte("-0123456789", word[0]) < 0 || !json.Valid([]byte(word)):
		return nil, errors.New("no value")
	}
	return json.Number(word), nil
}

// elements reads an array up to its closing bracket. A name with a colon is
// the first member of an object whose brace is missing.
func (r *jsonReader) elements(depth int) ([]any, error) {
	list := []any{}
	for {
		switch c := r.next(); c {
		case ']':
			r.at++
			return list, nil
		case ',':
			r.at++
			continue
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if key, ok := v.(string); ok && r.next() == ':' {
			o := make(object)
			if err := r.member(o, key, depth+1); err != nil {
				return nil, err
			}
			others, err := r.members(depth + 1)
			if err != nil {
				return nil, err
			}
			maps.Copy(o, others)
			v = o
		}
		list = append(list, v)
	}
}

// word reads up to the next byte that cannot be part of a number or a name.
func (r *jsonReader) word() string {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n,:{}[]\"", r.text[r.at]) < 0 {
		r.at++
	}
	return string(r.text[start:r.at])
}

// str reads a string, in which control characters need no escape.
func (r *jsonReader) str() (string, error) {
	start := r.at
	for r.at++; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '\\':
			r.at++
		case '"':
			r.at++
			return unquote(r.text[start:r.at])
		}
	}
	r.at = len(r.text)
	return "", errCut
}

// unquote returns the value of a string literal, as plain text.
func unquote(literal []byte) (s string, err error) {
	plain := make([]byte, 0, len(literal))
	for _, c := range literal {
		if c < ' ' {
			plain = fmt.Appendf(plain, "\\u%04x", c)
			continue
		}
		plain = append(plain, c)
	}
	if err := json.Unmarshal(plain, &s); err != nil {
		return "", errors.New("not a string")
	}
	return answer.Clean(s), nil
}
