package admin

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"serin/router"
)

// Ask is whom Explain is asked about: a key, and what else a request of that user says. Audiences look at it.
type Ask struct {
	Key     string
	Headers []string // "Name: value" each
	Host    string
	Path    string
	Query   string // raw, without the question mark
	Client  string // address
}

// askOf reads the query of GET /v1/explain.
func askOf(q url.Values) Ask {
	return Ask{
		Key: q.Get("key"), Headers: q["header"], Host: q.Get("host"), Path: q.Get("path"), Query: q.Get("query"), Client: q.Get("client"),
	}
}

// values is askOf backwards.
func (a Ask) values() url.Values {
	q := url.Values{"key": {a.Key}}
	if len(a.Headers) > 0 {
		q["header"] = a.Headers
	}
	for name, value := range map[string]string{"host": a.Host, "path": a.Path, "query": a.Query, "client": a.Client} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Request is the request that was asked about, or what is wrong with it.
func (a Ask) Request() (*router.Request, error) {
	r := &router.Request{
		Method: []byte("GET"), Host: []byte(a.Host), Path: router.NormalizePath(nil, []byte(a.Path)), Query: []byte(a.Query),
	}
	if a.Client != "" {
		client, err := netip.ParseAddr(a.Client)
		if err != nil {
			return nil, fmt.Errorf("client %q is no address", a.Client)
		}
		r.Client = client
	}
	var head strings.Builder
	for _, field := range a.Headers {
		name, value, ok := strings.Cut(field, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(field, "\r\n\x00") {
			return nil, errors.New(`a header is written "Name: value"`)
		}
		head.WriteString(name + ": " + strings.TrimSpace(value) + "\r\n")
	}
	r.Head = []byte(head.String())
	return r, nil
}

// ExplainKey says where a key goes in each split, as routed now.
func ExplainKey(a Ask, splits []*router.Split) Explain {
	x := Explain{Key: a.Key, Rollouts: []ExplainSplit{}, Experiments: []ExplainExp{}, Flags: []ExplainedFlag{}}
	r, err := a.Request()
	if err != nil {
		r = nil
	}
	for _, s := range splits {
		c := s.ChooseAs(r, a.Key)
		if elsewhere(c.Why) { // the choice is made without a look at it
			c.Bucket = router.BucketOf(s.Salt, []byte(a.Key))
		}
		if s.Shares != nil {
			x.Experiments = append(x.Experiments, ExplainExp{Name: s.Rollout, Bucket: int(c.Bucket), Arm: armIn(s, &c), For: forWhom(s), Reason: c.Why.String()})
			continue
		}
		out := ExplainSplit{Name: s.Rollout, Bucket: int(c.Bucket), Arm: armIn(s, &c), For: forWhom(s)}
		if !elsewhere(c.Why) {
			flips := c.Bucket.FlipsAt().Fraction()
			out.FlipsAtWeight = &flips
		}
		if c.Ring > 0 {
			out.Audience = s.Rings[c.Ring-1].Name
		}
		out.Reason = reasonOf(s, &c, out.Audience)
		x.Rollouts = append(x.Rollouts, out)
	}
	return x
}

// noArm is what a user has of a rollout or experiment that is for others.
const noArm = "none"

func armIn(s *router.Split, c *router.Choice) string {
	if c.Why == router.ByOutside {
		return noArm
	}
	return s.ArmName(c.Arm)
}

// forWhom names the audience that a split is for; "" is everybody.
func forWhom(s *router.Split) string {
	if s.Audience == nil {
		return ""
	}
	return s.Audience.Name
}

// elsewhere reports whether the split has not the user: another one has, or it is not for him.
func elsewhere(why router.Why) bool { return why == router.ByOther || why == router.ByOutside }

func reasonOf(s *router.Split, c *router.Choice, ring string) string {
	if c.Why == router.ByAudience {
		return fmt.Sprintf("a member of audience %s, whose ring is open", ring)
	}
	if c.Why == router.ByOutside {
		return fmt.Sprintf("not a member of audience %s, which this rollout is for", s.Audience.Name)
	}
	if c.Why == router.ByOther {
		return fmt.Sprintf("another member of the exclusive group %s has this user", s.Group.Name)
	}
	side := "above"
	if c.Arm == router.Canary {
		side = "within"
	}
	text := fmt.Sprintf("bucket %d is %s the canary's %s", c.Bucket, side, s.Weight)
	if ring != "" {
		text += fmt.Sprintf("; a member of audience %s, whose ring is not open", ring)
	}
	return text
}
