package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"serin/config"
	"serin/gate"
	"serin/gate/control"
	"serin/gate/journal"
	"serin/gate/notify"
	"serin/proxy/admin"
)

// openPeople makes what speaks with people: the queue of notices and the links in them. Nothing starts yet.
func (d *serinDaemon) openPeople(plan *config.Plan, restored *journal.Restored) {
	base := linkBase(plan.Admin, d.adminLn.Addr())
	if base != "" {
		var err error
		if d.links, err = admin.OpenLinks(plan.StateDir, base); err != nil {
			d.log.Error("no links in notices", "err", err)
		}
	}
	source := plan.Admin.PublicURL
	if source == "" {
		source = "urn:serin:" + hostName()
	}
	d.notices = notify.New(notify.Options{Path: filepath.Join(plan.StateDir, "notices.json"), Source: source, Log: d.log})
	d.notices.Set(plan.Sinks)
	names := make([]string, len(plan.Rollouts))
	for i := range plan.Rollouts {
		names[i] = plan.Rollouts[i].Name
	}
	d.notices.Forget(names)
	d.catchUp(plan, restored)
}

// untoldFor is how old a decision may be that a process before made and perhaps died before it told anybody.
const untoldFor = 5 * time.Minute

// catchUp tells the last decisions of a process that was killed between the journal and the outbox. What was told already is
// told to nobody again: the outbox knows.
func (d *serinDaemon) catchUp(plan *config.Plan, restored *journal.Restored) {
	for i := range plan.Rollouts {
		p := plan.Rollouts[i].Policy
		last := restored.Rollouts[plan.Rollouts[i].Name].Last
		if last == nil || len(p.Notify) == 0 || time.Since(last.At) > untoldFor {
			continue
		}
		d.announce(control.Announcement{
			Entry: *last, Policy: p, Findings: last.Decision.Findings,
			Next: gate.Next(last.State, p, last.Decision, time.Now()), Allowed: gate.Allowed(last.State, p, time.Now()),
		})
	}
	for i := range plan.Experiments {
		p := plan.Experiments[i].Policy
		last := restored.Rollouts[p.Name].Last
		if last == nil || len(p.Notify) == 0 || time.Since(last.At) > untoldFor {
			continue
		}
		d.announce(control.Announcement{Entry: *last, Experiment: p, Findings: last.Decision.Findings})
	}
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// linkBase is where a person's browser reaches the admin listener; "" where none can.
func linkBase(a config.Admin, addr net.Addr) string {
	if a.PublicURL != "" {
		return a.PublicURL
	}
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp.IP.IsUnspecified() {
		return ""
	}
	if a.TLS != nil {
		return "https://" + tcp.String()
	}
	return "http://" + tcp.String()
}

// adminListener opens the admin listener, with its TLS.
func adminListener(ctx context.Context, a config.Admin) (net.Listener, error) {
	ln, err := openAdmin(ctx, a.Address)
	if err != nil || a.TLS == nil {
		return ln, err
	}
	return tls.NewListener(ln, a.TLS), nil
}

// decide runs the control loop, and beside it until the loop has said its last word the queue that tells people of it: both
// write to the state directory, which a successor takes after that.
func (d *serinDaemon) decide(ctx context.Context) error {
	telling, stop := context.WithCancel(context.WithoutCancel(ctx))
	told := make(chan error, 1)
	go func() { told <- d.notices.Run(telling) }()
	err := d.loop.Run(ctx)
	stop()
	if lost := <-told; lost != nil {
		d.log.Error("notices lost", "err", lost)
	}
	return err
}

// announce hands a decision to the queue. It is called by the control loop and waits for nobody.
func (d *serinDaemon) announce(a control.Announcement) {
	n, ok := noticeOf(&a, d.links)
	if !ok {
		return
	}
	sinks := a.Notify()
	if len(sinks) == 0 {
		n.State = notify.Done // nobody was told, so nothing waits for an answer
	}
	d.notices.Tell(n, sinks)
}

// tokens are those of the configuration in force.
func (d *serinDaemon) tokens() []config.Token { return d.planInForce().Tokens }

// unguarded reports whether a plan takes the last token from an admin listener that others reach. The plan may have moved it to
// the loopback, but the listener stays where it was opened.
func (d *serinDaemon) unguarded(plan *config.Plan) bool {
	at, tcp := d.adminLn.Addr().(*net.TCPAddr)
	return len(plan.Tokens) == 0 && tcp && !at.IP.IsLoopback()
}

// sinksWith are a new plan's sinks and those of the old one that are still owed the news of their end.
func sinksWith(plan, old *config.Plan) []notify.Spec {
	all := slices.Clone(plan.Sinks)
	for _, was := range old.Sinks {
		if !slices.ContainsFunc(all, func(s notify.Spec) bool { return s.Name == was.Name }) {
			all = append(all, was)
		}
	}
	return all
}

// sameAdmin reports whether the admin listener stays as it is.
func sameAdmin(a, b config.Admin) bool {
	return a.Address == b.Address && a.PublicURL == b.PublicURL && a.Files == b.Files && (a.TLS == nil) == (b.TLS == nil)
}

// tokenOf finds the caller's token: the flag, the file, the environment's variable, its file.
func (t *target) tokenOf() (string, error) {
	if t.token != "" {
		return t.token, nil
	}
	file := t.tokenFile
	if file == "" {
		if token := t.env.getenv("SERIN_TOKEN"); token != "" {
			return token, nil
		}
		file = t.env.getenv("SERIN_TOKEN_FILE")
	}
	if file == "" {
		return "", nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return "", &exitError{code: exitFailure, err: fmt.Errorf("read the token: %w", err), hint: "--token-file and $SERIN_TOKEN_FILE name a file with nothing else in it"}
	}
	return strings.TrimSpace(string(body)), nil
}

// equip gives a client its token, and the authorities it believes.
func (t *target) equip(c *admin.Client) error {
	token, err := t.tokenOf()
	if err != nil {
		return err
	}
	if err := c.SetToken(token); err != nil {
		return &exitError{code: exitUsage, err: err, hint: "use https, a loopback address or a unix socket"}
	}
	ca := t.ca
	if ca == "" {
		ca = t.env.getenv("SERIN_CA")
	}
	if ca == "" {
		return nil
	}
	pem, err := os.ReadFile(ca)
	if err == nil {
		err = c.Trust(pem)
	}
	if err != nil {
		return &exitError{code: exitFailure, err: fmt.Errorf("trust %s: %w", ca, err), hint: "--ca and $SERIN_CA name a file with the authorities (PEM) of the admin listener"}
	}
	return nil
}
