package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
)

//go:embed static vendored/uplot
var files embed.FS

// An assetFile is what pages load: its URL has a hash of its text, so that it never
// changes.
type assetFile struct {
	file, kind string
	url        string
	text, gzip []byte
}

var assets = loaded("static/page.js", "static/icon.svg", "static/charts.js", "vendored/uplot/uPlot.iife.min.js", "vendored/uplot/uPlot.min.css")

// sheet is the style of every page, within it: a file of its own would be asked for only
// when the page is there, and nothing is painted before it is.
var sheet, sheetHash = func() (template.HTML, string) {
	text, _ := files.ReadFile("static/page.css") // a test reads it
	sum := sha256.Sum256(text)
	return template.HTML("<style>" + string(text) + "</style>"), base64.StdEncoding.EncodeToString(sum[:]) //nolint:gosec // it is ours
}()

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func loaded(names ...string) map[string]assetFile {
	all := make(map[string]assetFile)
	for _, name := range names {
		text, _ := files.ReadFile(name) // a test reads each
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = z.Write(text) // into memory
		z.Close()
		sum, base, ext := sha256.Sum256(text), path.Base(name), path.Ext(name)
		a := assetFile{file: base, kind: kinds[ext], text: text, gzip: b.Bytes()}
		a.url = fmt.Sprintf("%s.%x%s", strings.TrimSuffix(base, ext), sum[:6], ext)
		all[a.url] = a
	}
	return all
}

// assetPath returns the URL of a file; "": there is none.
func assetPath(file string) string {
	for _, a := range assets {
		if a.file == file {
			return "/assets/" + a.url
		}
	}
	return ""
}

func asset(w http.ResponseWriter, r *http.Request) {
	a, found := assets[r.PathValue("name")]
	if !found {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	text := a.text
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		text = a.gzip
	}
	w.Write(text)
}
