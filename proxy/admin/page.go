package admin

import (
	"html/template"
	"net/http"
	"strings"
)

// page is GET /: what runs here and where the API is; no script, nothing inline.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
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
