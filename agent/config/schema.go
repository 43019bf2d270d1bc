package config

import _ "embed" // of the schema

// schema is what TestSchema makes of the structs and of lunawatch.yaml.
//
//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of a configuration file: its keys, each
// with its type, range or words, default and description. What depends on two keys at
// once it does not have.
func Schema() string { return schema }
