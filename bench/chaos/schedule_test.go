package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"time"

	"serin/proxy/admin"
)

// event does one thing to a storm and notes it. Events come one after the other: no more than one server is away.
type event func(*storm)

// aftermath is how long after a server is back its being away may still be seen.
const aftermath = 500 * time.Millisecond

// away takes one server of an arm away by how, and brings it back after a while.
func (s *storm) away(what string, how func(*service)) {
	arm, i := s.rand.IntN(2), s.rand.IntN(2)
	server := s.servers[arm][i]
	f := fault{what: what, arm: server.arm, from: time.Now()}
	how(server)
	f.over = time.Now()
	<-time.After(time.Duration(s.rand.IntN(800)) * time.Millisecond)
	server.up()
	f.to = time.Now().Add(aftermath)
	s.faults = append(s.faults, f)
}

// kill ends a server at once, half of the time with resets.
func kill(s *storm) {
	hard := s.rand.IntN(2) == 0
	what := "server killed"
	if hard {
		what = "server killed with resets"
	}
	s.away(what, func(server *service) { server.kill(hard) })
}

// retire restarts a server as a deployment does.
func retire(s *storm) { s.away("server restarted", (*service).retire) }

// reload puts another valid file in force: the canary's pool is a new one.
func reload(s *storm) {
	s.idle = 10 + (s.idle+1)%7
	s.write("")
	s.try("reload", func() error { _, err := s.daemon.api.Reload(context.Background()); return err })
}

// spoiltReload offers an invalid file, which must be refused, and puts the valid one back.
func spoiltReload(s *storm) {
	s.write("\n[upstream.v3]\nserver = [\"127.0.0.1:1\"]\n")
	s.try("invalid reload", func() error {
		_, err := s.daemon.api.Reload(context.Background())
		var refused *admin.StatusError
		if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
			return nil
		}
		return errors.Join(errors.New("an invalid file was not refused"), err)
	})
	s.write("")
}

// move has a person change the weight, by an act that applies now.
func move(s *storm) {
	ro := s.daemon.rollout()
	var can []string
	for _, verb := range ro.Allowed {
		switch verb {
		case "promote", "step-back", "rollback", "retry", "resume":
			can = append(can, verb)
		}
	}
	if len(can) == 0 {
		return
	}
	verb := can[s.rand.IntN(len(can))]
	s.try(verb, func() error {
		_, err := s.daemon.actIf(verb)
		var refused *admin.StatusError
		if errors.As(err, &refused) && refused.Status == http.StatusConflict {
			return nil // it was decided otherwise meanwhile
		}
		return err
	})
}

// misbehave has clients break off and talk nonsense beside the crowd.
func misbehave(s *storm) {
	r := rand.New(rand.NewPCG(s.rand.Uint64(), 0))
	s.try("clients misbehaved", func() error {
		for range 20 {
			v := randomVisit(r, false)
			v.User = "" // no evidence, and not in the ledger
			v.ID = "x" + v.ID
			v.Wait = 20 * time.Millisecond
			raw := v.request()
			if r.IntN(2) == 0 {
				raw = raw[:len(raw)/2]
			}
			halfway(s.t, s.site.listen, raw)
		}
		return nil
	})
}

func (s *storm) try(what string, do func() error) {
	s.t.Helper()
	f := fault{what: what, from: time.Now()}
	if err := do(); err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
	f.to = time.Now()
	s.faults = append(s.faults, f)
}

// takeOver starts another serin beside the one in service, stops that one, and waits until the new one is in charge and
// the old one has gone.
func takeOver(s *storm) {
	s.t.Helper()
	old := s.daemon
	f := fault{what: "take-over", from: time.Now()}
	s.daemon = launch(s.t, s.site)
	for until := time.Now().Add(20 * time.Second); !strings.Contains(s.daemon.log.String(), "waiting for the state directory"); <-time.After(10 * time.Millisecond) {
		if time.Now().After(until) {
			s.t.Fatalf("the new serin does not wait for the old one:\n%s", s.daemon.log)
		}
	}
	old.signal(syscall.SIGTERM)
	s.daemon.awaitReady()
	if code := old.ended(60 * time.Second); code != 0 {
		s.t.Errorf("the old serin ended with %d:\n%s", code, tail(old.log.String(), 3000))
	}
	f.to = time.Now().Add(aftermath)
	s.faults = append(s.faults, f)
	if now, decided := s.daemon.rollout().Weight, s.lastWeight(s.daemon); now > decided {
		s.t.Errorf("weight %v after a take-over, %v was decided", now, decided)
	}
}
