package admin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// built is the dashboard as `make dashboard` made it from dashboard/src; CI makes it again and compares.
//
//go:embed dashboard/dist
var built embed.FS

// pageFiles are the files of the build with their types; nothing else is served.
var pageFiles = map[string]string{
	"index.html": "text/html; charset=utf-8",
	"app.js":     "text/javascript; charset=utf-8",
	"app.css":    "text/css; charset=utf-8",
	"bird.svg":   "image/svg+xml",
}

// pageSecurity lets the page run its own script and style and talk to its own listener: nothing inline, nothing from elsewhere.
const pageSecurity = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pageFile is one file ready to be sent.
type pageFile struct {
	body, packed []byte
	etag, kind   string
}

// packedPage compresses the build once a process, when the page is first asked for.
var packedPage = sync.OnceValue(func() map[string]pageFile {
	files := map[string]pageFile{}
	for name, kind := range pageFiles {
		body, err := built.ReadFile("dashboard/dist/" + name)
		if err != nil {
			panic("BUG: the dashboard was not built: " + err.Error())
		}
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		z.Write(body)
		z.Close()
		sum := sha256.Sum256(body)
		files[name] = pageFile{body: body, packed: b.Bytes(), etag: `"` + hex.EncodeToString(sum[:8]) + `"`, kind: kind}
	}
	return files
})

// page is GET /: the dashboard. It holds no data and needs no token; what it shows it asks the API for.
func (s *Server) page(w http.ResponseWriter, r *http.Request) { sendFile(w, r, "index.html") }

// asset is GET /assets/{file}.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if _, ok := pageFiles[name]; !ok || name == "index.html" {
		fail(w, http.StatusNotFound, "no such path "+quoted(r.URL.Path), "the page is at /")
		return
	}
	sendFile(w, r, name)
}

func sendFile(w http.ResponseWriter, r *http.Request, name string) {
	f := packedPage()[name]
	h := w.Header()
	h.Set("Content-Security-Policy", pageSecurity)
	if name != "index.html" {
		h.Set("Cache-Control", "no-cache") // asked again each time, answered with 304
	}
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	body := f.body
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// plain is GET /plain: what runs here and where the API is; no script, nothing inline.
func (s *Server) plain(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := pageTemplate.Execute(w, struct {
		Version  string
		Rollouts []Rollout
		Reload   LastReload
		Paths    []string
	}{s.o.Version, s.rollouts(), s.lastReload(), s.paths()})
	if err != nil {
		s.log.Debug("page not delivered", "err", err)
	}
}

// paths lists what can be asked, as the mux knows it.
func (s *Server) paths() []string {
	var list []string
	for _, r := range s.routes() {
		for method := range r.methods {
			list = append(list, method+" "+strings.TrimSuffix(r.pattern, "{$}"))
		}
	}
	return list
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>serin</title></head>
<body>
<h1>serin {{.Version}}</h1>
{{with .Reload}}{{if not .Successful}}<h2>The configuration file was refused; the one before it stays in force</h2>
<ul>
{{range .Problems}}<li><code>{{.}}</code></li>
{{end}}</ul>
{{end}}{{end}}{{range .Rollouts}}<h2>{{.Name}}: {{.Phase}}</h2>
<p>{{.Sentence}}</p>
<p>{{.Next}}</p>
<p><a href="/v1/rollouts/{{.Name}}">all numbers</a> · <a href="/v1/rollouts/{{.Name}}/decisions">decisions</a></p>
{{else}}<p>There is no rollout in the configuration.</p>
{{end}}<h2>API</h2>
<ul>
{{range .Paths}}<li><code>{{.}}</code></li>
{{end}}</ul>
</body>
</html>
`))
