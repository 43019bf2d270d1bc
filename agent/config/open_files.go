package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// openFiles returns a warning for each file of c that users it is not for can read
// or change: of secrets, of programs that the agent runs, of keys and authorities that
// it trusts, and the configuration itself.
func (c Config) openFiles() (list []string) {
	for _, f := range append(c.namedFiles(), namedFile{key: "configuration", path: c.File}) {
		info, err := os.Stat(f.path)
		if err != nil {
			continue // whoever uses it says so
		}
		switch mode := info.Mode().Perm(); {
		case mode&0o022 != 0:
			list = append(list, fmt.Sprintf("%s: %s can be changed by others (mode %#o); use chmod go-w", f.key, f.path, mode))
		case f.secret && mode&0o004 != 0:
			list = append(list, fmt.Sprintf("%s: %s can be read by everybody (mode %#o); use chmod o-r", f.key, f.path, mode))
		}
	}
	return list
}

// A named file is one that a key of the configuration names.
type namedFile struct {
	key, path   string
	secret      bool
	file        setting.File // as it is written
	certificate setting.File // of a key_file: what it is the key of
}

// namedFiles returns the files that the keys of c name.
func (c Config) namedFiles() []namedFile {
	list := filesIn(reflect.ValueOf(c), "")
	for i := range list {
		f := &list[i]
		if section, ok := strings.CutSuffix(f.key, ".key_file"); ok {
			if at := slices.IndexFunc(list, func(f namedFile) bool { return f.key == section+".cert_file" }); at >= 0 {
				f.certificate = list[at].file
			}
		}
		var h int
		if _, err := fmt.Sscanf(f.key, "hsms[%d].password_file", &h); err == nil && c.HSMs[h].PasswordCredential != "" {
			f.key = fmt.Sprintf("hsms[%d].password_credential", h)
		}
	}
	return list
}

// secretKeys are parts of the keys whose files hold secrets; those of certificates
// and of templates do not.
var secretKeys = []string{"password", "secret", "token", "key_file", "community", "url_file"}

// programKeys are those whose value is a program, and perhaps its arguments, or a file
// that says whom to trust.
var programKeys = []string{"command", "vtl", "path", "_file"}

// filesIn returns the files that v names, which is at a key.
func filesIn(v reflect.Value, key string) (list []namedFile) {
	named := func(keys []string) bool {
		last := key[strings.LastIndexAny(key, ".")+1:]
		for _, k := range keys {
			if strings.Contains(last, k) {
				return true
			}
		}
		return false
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return filesIn(v.Elem(), key)
		}
	case reflect.Slice:
		if v.Len() > 0 && v.Type().Elem().Kind() == reflect.String && key != "" && named(programKeys[:1]) {
			return []namedFile{{key: key, path: v.Index(0).String()}}
		}
		for i := range v.Len() {
			list = append(list, filesIn(v.Index(i), fmt.Sprintf("%s[%d]", key, i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, inline, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			switch {
			case name == "-" || !v.Type().Field(i).IsExported() || !mayName(v.Field(i)):
				continue
			case inline == "inline":
				list = append(list, filesIn(v.Field(i), key)...)
			default:
				list = append(list, filesIn(v.Field(i), strings.TrimPrefix(key+"."+name, "."))...)
			}
		}
	case reflect.String:
		path := v.String()
		if f, ok := reflect.TypeAssert[setting.File](v); ok {
			path, _ = f.Path()
			if path != "" {
				return []namedFile{{key: key, path: path, secret: named(secretKeys), file: f}}
			}
			return nil
		}
		if path != "" && (strings.HasSuffix(key, "_file") || strings.HasPrefix(path, "/") && key != "" && named(programKeys[1:])) {
			return []namedFile{{key: key, path: path, file: setting.File(path)}}
		}
	}
	return list
}

// mayName reports whether a value is of a kind that can name a file, and not empty.
func mayName(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil()
	case reflect.Slice, reflect.String:
		return v.Len() > 0
	}
	return v.Kind() == reflect.Struct
}
