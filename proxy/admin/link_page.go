package admin

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"serin/gate"
	"serin/gate/control"
)

// linkView is what a link's page shows.
type linkView struct {
	Title, Lead string
	Form        bool // ask: the button acts
	Verb, Link  string
	Button      string
	Command     string
	Expires     string
	Status      *Rollout
	Gates       []linkGate
}

type linkGate struct{ Metric, Numbers, Rule string }

// protectLink are the headers of a link's page: it may post to itself and load its stylesheet, nothing else. The referrer
// stays within the site, because browsers that send none call the origin of a form null.
func protectLink(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
}

// isLinkForm reports whether a request is the form of a link's page: the only body that is no JSON. The link in it is what
// allows the act, and no other page can know it.
func isLinkForm(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == "application/x-www-form-urlencoded" && r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, linkPath)
}

// openLink is GET /links/{link}: it asks, and does nothing.
func (s *Server) openLink(w http.ResponseWriter, r *http.Request) {
	protectLink(w.Header())
	link := r.PathValue("link")
	g, st, problem := s.readLink(link)
	if problem != nil {
		s.linkFailed(w, http.StatusGone, problem, st)
		return
	}
	stage := stageAfter(st)
	v := linkView{
		Form: true, Verb: g.Verb, Link: link, Expires: time.Unix(g.Expires, 0).UTC().Format("2006-01-02 15:04 MST"),
		Command: "serin " + g.Verb + " " + g.Rollout, Title: "Roll back " + g.Rollout + "?", Button: "Roll back " + g.Rollout,
		Lead: "Everybody goes back to stable at once. This ends the attempt of revision " + st.Revision + ".",
	}
	if g.Verb == "approve" {
		v.Title, v.Button = "Approve "+stage+" of "+g.Rollout+"?", "Approve "+stage
		v.Lead = "The stage " + stage + " begins once the gates agree."
		if g.Owner != "" {
			v.Lead += " It belongs to " + g.Owner + "; this link approves in that name."
		}
	}
	s.linkPage(w, http.StatusOK, v, st)
}

// readLink checks a link against what is now.
func (s *Server) readLink(link string) (Grant, *control.RolloutStatus, error) {
	if s.o.Links == nil {
		return Grant{}, nil, ErrLink
	}
	g, err := s.o.Links.Check(link, time.Now())
	if errors.Is(err, ErrLink) {
		return g, nil, err
	}
	st, known := s.status().Rollout(g.Rollout)
	switch {
	case !known:
		return g, nil, errors.New("there is no rollout " + g.Rollout + " any more")
	case err != nil: // whoever kept an old link learns nothing of today
		return g, nil, err
	case st.Version != g.Version:
		return g, &st, errors.New("something was decided since this link was made, so it does nothing any more")
	}
	return g, &st, nil
}

// stageAfter names the stage that an approval lets begin.
func stageAfter(st *control.RolloutStatus) string {
	if st.Policy == nil {
		return "the next stage"
	}
	if i := gate.NextStage(st.State, st.Policy); i >= 1 && i <= len(st.Policy.Stages) {
		return st.Policy.Stages[i-1].Label
	}
	return "the next stage"
}

// useLink is POST /links/{link}, from the page's form: it acts, once.
func (s *Server) useLink(w http.ResponseWriter, r *http.Request) {
	protectLink(w.Header())
	link := r.PathValue("link")
	if err := r.ParseForm(); err != nil || r.PostForm.Get("link") != link {
		s.linkFailed(w, http.StatusBadRequest, errors.New("this form is not the link's own"), nil)
		return
	}
	a := Act{Actor: r.PostForm.Get("name"), Reason: r.PostForm.Get("reason")}
	g, st, problem := s.readLink(link)
	if problem != nil {
		s.linkFailed(w, http.StatusGone, problem, st)
		return
	}
	if text, hint := a.check(g.Verb); text != "" {
		s.linkFailed(w, http.StatusBadRequest, errors.New(text+": "+hint), st)
		return
	}
	if a.Actor = strings.TrimSpace(a.Actor + " (link)"); a.Actor == "(link)" {
		a.Actor = "link"
	}
	switch err := s.o.Links.Use(link, g); {
	case errors.Is(err, ErrLinkUsed):
		s.linkFailed(w, http.StatusGone, err, st)
		return
	case err != nil && g.Verb != "rollback": // a full disk must not keep anybody from rolling back
		s.log.Error("use of a link not written", "err", err)
		_ = s.o.Links.Release(link) // in memory; the disk takes nothing
		s.linkFailed(w, http.StatusServiceUnavailable, errors.New("the disk does not take that the link was used, so nothing is done"), st)
		return
	}
	s.actByLink(w, r, link, g, a)
}

// actByLink does what the link allows; where it was not done, the link is good again.
func (s *Server) actByLink(w http.ResponseWriter, r *http.Request, link string, g Grant, a Act) {
	op := gate.Operator{Verb: verbs[g.Verb], Actor: a.Actor, Reason: a.Reason, IfVersion: &g.Version, Rights: &gate.Rights{}}
	if g.Owner != "" {
		op.Rights.Owns = []string{g.Owner}
	}
	ctx, cancel := context.WithTimeout(r.Context(), loopTimeout)
	defer cancel()
	d, entry, err := s.o.Loop.Operate(ctx, g.Rollout, op)
	st, _ := s.status().Rollout(g.Rollout)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		s.linkFailed(w, http.StatusServiceUnavailable, errors.New("the control loop did not answer in time; the act may still happen"), &st)
		return
	case err == nil && d.Refusal == "":
		s.linkPage(w, http.StatusOK, linkView{Title: "Done: " + g.Verb + " " + g.Rollout, Lead: entry.Sentence}, &st)
		return
	}
	if released := s.o.Links.Release(link); released != nil {
		s.log.Error("link not given back", "err", released)
	}
	if err == nil {
		err = errors.New(g.Verb + " does not apply now (" + string(d.Refusal) + ")")
	}
	s.linkFailed(w, http.StatusConflict, err, &st)
}

func (s *Server) linkFailed(w http.ResponseWriter, status int, why error, st *control.RolloutStatus) {
	s.linkPage(w, status, linkView{Title: "Nothing was done", Lead: strings.ToUpper(why.Error()[:1]) + why.Error()[1:] + "."}, st)
}

// linkPage writes the page; st may be nil.
func (s *Server) linkPage(w http.ResponseWriter, status int, v linkView, st *control.RolloutStatus) {
	if st != nil && st.Name != "" {
		ro := RolloutOf(st)
		v.Status = &ro
		for i := range st.Gates {
			v.Gates = append(v.Gates, linkGate{st.Gates[i].Metric, gate.Numbers(&st.Gates[i]), st.Gates[i].Rule})
		}
	}
	var b bytes.Buffer
	if err := linkTemplate.Execute(&b, v); err != nil {
		s.log.Error("link's page not made", "err", err)
		fail(w, http.StatusInternalServerError, "the page cannot be made", "this is a bug in serin; the log has the details")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func linkStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write([]byte(linkCSS))
}

// formatPercent is a share for a page: "6.55 %".
func formatPercent(share float64) string {
	text := strconv.FormatFloat(share*100, 'f', 2, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + " %"
}

var linkTemplate = template.Must(template.New("link").Funcs(template.FuncMap{
	"percent": formatPercent,
	"words":   func(word string) string { return strings.ReplaceAll(word, "_", " ") },
	"rate": func(a Arm) string {
		if a.Requests == 0 {
			return "no request"
		}
		return formatPercent(float64(a.Errors) / float64(a.Requests))
	},
}).Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>{{.Title}} - serin</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<main>
<p class="brand">serin</p>
<h1>{{.Title}}</h1>
<p class="lead">{{.Lead}}</p>
{{if .Form}}<form method="post">
<input type="hidden" name="link" value="{{.Link}}">
<label for="name">Your name <span>for the journal</span></label>
<input id="name" name="name" maxlength="80" autocomplete="name">
<label for="reason">Reason <span>optional</span></label>
<input id="reason" name="reason" maxlength="300" autocomplete="off">
<button type="submit" class="{{.Verb}}">{{.Button}}</button>
</form>
<p class="small">Nothing has happened yet. The link works once, until {{.Expires}}, and only while nothing else is decided.
On the command line: <code>{{.Command}}</code></p>
{{end}}{{with .Status}}<section>
<h2>{{.Name}}: {{words .Phase}} at {{percent .Weight}}</h2>
<p>{{.Sentence}}</p>
{{if .Next}}<p>{{.Next}}</p>
{{end}}<div class="scroll"><table>
<thead><tr><th scope="col">In this stage</th><th scope="col">canary</th><th scope="col">stable</th></tr></thead>
<tbody>
<tr><th scope="row">requests</th><td>{{.Arms.Canary.Requests}}</td><td>{{.Arms.Stable.Requests}}</td></tr>
<tr><th scope="row">failed</th><td>{{.Arms.Canary.Errors}}</td><td>{{.Arms.Stable.Errors}}</td></tr>
<tr><th scope="row">error rate</th><td>{{rate .Arms.Canary}}</td><td>{{rate .Arms.Stable}}</td></tr>
</tbody></table></div>
</section>
{{end}}{{with .Gates}}<section>
<h2>Gates</h2>
<dl>
{{range .}}<dt>{{.Metric}}</dt><dd>{{.Numbers}}<br><span>{{.Rule}}</span></dd>
{{end}}</dl>
</section>
{{end}}<p class="small"><a href="../">Open serin</a></p>
</main>
</body>
</html>
`))

const linkCSS = `:root { color-scheme: light dark; --ink: #1c2530; --soft: #5a6675; --line: #d5dbe2; --paper: #ffffff; --ground: #f3f5f7; --go: #1c6b45; --stop: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --soft: #a3adba; --line: #36414e; --paper: #1a2129; --ground: #11161c; --go: #2c8a5b; --stop: #c9372c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
.brand { margin: 0; color: var(--soft); font-weight: 600; letter-spacing: .02em; }
h1 { margin: .25rem 0 .5rem; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 0 0 .5rem; font-size: 1.05rem; }
.lead { margin: 0 0 1.25rem; font-size: 1.05rem; }
form, section { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; }
section p { margin: 0 0 .5rem; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
label span, dd span, .small { color: var(--soft); font-weight: 400; font-size: .9rem; }
input:not([type=hidden]) { width: 100%; margin: 0 0 1rem; padding: .6rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: .35rem; }
button { width: 100%; min-height: 2.75rem; padding: .6rem 1rem; font: inherit; font-weight: 600; color: #fff; background: var(--go); border: 0; border-radius: .35rem; cursor: pointer; }
button.rollback { background: var(--stop); }
:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .5rem .35rem 0; border-bottom: 1px solid var(--line); text-align: right; font-weight: 400; }
th:first-child { text-align: left; }
dl { margin: 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .75rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
a { color: inherit; }
`
