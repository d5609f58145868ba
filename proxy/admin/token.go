package admin

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
)

// guessDelay is what a wrong token costs whoever tried it.
const guessDelay = 250 * time.Millisecond

// guessLog is how many seconds must be without a wrong token before one is logged again.
const guessLog = 10

// someone is who sends a request. token nil: there are no tokens, and everybody who gets here may do everything.
type someone struct{ token *config.Token }

func (p someone) may(word string) bool { return p.token == nil || p.token.May(word) }

// rights are nil where nobody is told apart.
func (p someone) rights() *gate.Rights {
	if p.token == nil {
		return nil
	}
	return p.token.Rights()
}

// name is the token's; "" where there are none.
func (p someone) name() string {
	if p.token == nil {
		return ""
	}
	return p.token.Name
}

// who tells the sender by the token of the request. ok is false where tokens are needed and this is none. Every token is
// compared, each in constant time: how long it takes tells nothing.
func (s *Server) who(r *http.Request) (p someone, ok bool) {
	if s.o.Tokens == nil {
		return someone{}, true
	}
	tokens := s.o.Tokens()
	if len(tokens) == 0 {
		return someone{}, true
	}
	given, bearer := bearerOf(r)
	sum := sha256.Sum256([]byte(given))
	for i := range tokens {
		if tokens[i].Is(sum) && bearer {
			p.token = &tokens[i]
		}
	}
	return p, p.token != nil
}

// bearerOf is the token of a request: RFC 6750, section 2.1, once.
func bearerOf(r *http.Request) (string, bool) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(lines[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// actor is who the journal names: the token, or where there is none what the sender says.
func (s *Server) actor(r *http.Request, said string) string {
	if p, _ := s.who(r); p.token != nil {
		return p.token.Name
	}
	if said == "" {
		return "api"
	}
	return said
}

// authorized lets through who may do what the request asks for. Probes, the page without any data in it, and signed links
// ask for nothing.
func (s *Server) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		word := needs(r)
		if word == "" {
			next.ServeHTTP(w, r)
			return
		}
		p, ok := s.who(r)
		switch {
		case !ok:
			s.unknownSender(w, r)
		case !p.may(word):
			fail(w, http.StatusForbidden, "token "+p.token.Name+" may not "+word, "it may "+strings.Join(wordsOf(p.token), ", "))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *Server) unknownSender(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="serin"`)
	if r.Header.Get("Authorization") == "" {
		fail(w, http.StatusUnauthorized, "a token is needed", "--token-file FILE or $SERIN_TOKEN; over HTTP the header Authorization: Bearer TOKEN")
		return
	}
	delay := time.NewTimer(guessDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-r.Context().Done():
	}
	if now := time.Now().Unix(); now-s.guessed.Swap(now) >= guessLog { // a flood of guesses is one line in a while
		s.log.Warn("unknown token", "path", quoted(r.URL.Path), "peer", r.RemoteAddr)
	}
	fail(w, http.StatusUnauthorized, "the token is not known", "it may have been changed: [token.NAME] secret says where it is")
}

// wordsOf are the words of a token's may, sorted.
func wordsOf(t *config.Token) []string {
	var list []string
	for word := range t.Words {
		if word == "advance" {
			word = "advance<=" + strings.ReplaceAll(t.Ceiling.String(), " ", "")
		}
		list = append(list, word)
	}
	slices.Sort(list)
	return list
}

// needs is the right a request asks for; "": none. What nobody has thought of needs admin.
func needs(r *http.Request) string {
	path := r.URL.Path
	switch {
	case path == "/", strings.HasPrefix(path, "/healthz/"), strings.HasPrefix(path, "/assets/"), strings.HasPrefix(path, linkPath):
		return ""
	case r.Method == http.MethodGet, r.Method == http.MethodHead, strings.HasPrefix(path, "/ofrep/"):
		return "read"
	}
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	last := parts[len(parts)-1]
	switch {
	case !strings.HasPrefix(path, "/v1/"):
	case len(parts) == 1 && slices.Contains([]string{"reload", "signals", "pause", "resume", "rollback"}, last):
		return last
	case len(parts) == 3 && parts[0] == "rollouts" && (last == "drill" || last == "ack"):
		return last
	case len(parts) == 3 && parts[0] == "experiments" && last == "stop":
		return "rollback"
	case len(parts) == 3 && parts[0] == "rollouts":
		if _, known := verbs[last]; known {
			return last
		}
		return "read" // answered 404 with the verb that was perhaps meant
	}
	return "admin"
}

// shown is a rollout as somebody sees it: what is allowed is what this one may do.
func (s *Server) shown(p someone, st *control.RolloutStatus) Rollout {
	ro := RolloutOf(st)
	if p.token != nil {
		ro.You = p.token.Name
		if st.Policy != nil {
			ro.Allowed = gate.AllowedTo(st.State, st.Policy, time.Now(), p.rights())
		}
		ro.Allowed = slices.DeleteFunc(ro.Allowed, func(verb string) bool { return !p.may(verb) })
	}
	s.beside(&ro)
	if s.o.Signals != nil {
		ro.Signals, ro.SignalsLate = s.o.Signals.Totals(st.Name)
	}
	if s.o.Notices == nil {
		return ro
	}
	if a, open := s.o.Notices.Open(st.Name); open {
		ro.Alert = &Alert{Event: a.Event, Since: a.Since.UTC(), AcknowledgedBy: a.Acked}
		if a.Acked == "" && p.may("ack") {
			ro.Allowed = append(ro.Allowed, "ack")
		}
	}
	return ro
}

// rolloutsFor lists every rollout as somebody sees it.
func (s *Server) rolloutsFor(p someone) []Rollout {
	status := s.status()
	list := make([]Rollout, len(status.Rollouts))
	for i := range status.Rollouts {
		list[i] = s.shown(p, &status.Rollouts[i])
	}
	return list
}

// feedFor is the stream of changes as somebody sees them: one for each token, since they are allowed different things.
func (s *Server) feedFor(r *http.Request) *feed {
	p, _ := s.who(r)
	if p.token == nil {
		return s.events
	}
	s.feedsMu.Lock()
	defer s.feedsMu.Unlock()
	f := s.feeds[p.name()]
	if f == nil || f.rights != strings.Join(wordsOf(p.token), " ")+strings.Join(p.token.Owns, " ") {
		f = newFeed(func() []Rollout { return s.rolloutsFor(p) }, s.about)
		f.rights = strings.Join(wordsOf(p.token), " ") + strings.Join(p.token.Owns, " ")
		if s.feeds == nil {
			s.feeds = map[string]*feed{}
		}
		s.feeds[p.name()] = f
	}
	return f
}

// Alert is what waits for somebody and was told by notices; `ack` ends their repeats.
type Alert struct {
	Event          string    `json:"event"`
	Since          time.Time `json:"since"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
}
