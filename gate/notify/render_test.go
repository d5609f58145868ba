package notify

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// renderedBy is a notice as a sink sends it, indented, its headers first.
func renderedBy(t *testing.T, kind string, n *Notice) string {
	t.Helper()
	k, body := Kinds[kind], []byte(nil)
	var b strings.Builder
	if k.render == nil {
		var err error
		if body, err = json.Marshal(n); err != nil {
			t.Fatal(err)
		}
	} else {
		r, err := k.render(n, terms{url: "https://receiver.example/hook", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", source: "https://serin.example", now: at})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "POST %s\n", r.url)
		for _, name := range []string{"Content-Type", "Authorization", "webhook-id", "webhook-timestamp", "webhook-signature"} {
			if v := r.header.Get(name); v != "" {
				fmt.Fprintf(&b, "%s: %s\n", name, v)
			}
		}
		b.WriteByte('\n')
		body = r.body
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", "  "); err != nil {
		t.Fatalf("%s is no JSON: %v\n%s", kind, err, body)
	}
	return b.String() + strings.TrimSpace(pretty.String()) + "\n"
}

func TestSinks_RenderAsReviewed(t *testing.T) {
	for kind := range Kinds {
		for name, n := range samples() {
			if n.State == Resolved && !Kinds[kind].Alerts {
				continue
			}
			file := filepath.Join("testdata", kind+"_"+name+".txt")
			got := renderedBy(t, kind, n)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != got {
				t.Errorf("%s differs (-update rewrites it): %v\n%s", file, err, got)
			}
		}
	}
}

// giant is a notice with more of everything than any receiver takes, and with markup where names are.
func giant() *Notice {
	n := *samples()["approval"]
	evil := "<!channel> @everyone *b* _i_ ~s~ `c` [l](http://x) <https://evil|click> &amp; \u202e " + strings.Repeat("ü", 9000)
	n.Rollout, n.Sentence, n.Next, n.Actor, n.Note, n.Owner = strings.Repeat("r", 64), evil, evil, evil, evil, evil
	f := n.Gates[0]
	f.Rule = evil
	n.Gates = nil
	for range 80 {
		n.Gates = append(n.Gates, f)
	}
	n.Commands = []string{evil, evil}
	return &n
}

func everyone() map[string]*Notice {
	all := samples()
	all["giant"] = giant()
	return all
}

// object is JSON as a receiver's validator sees it.
type object = map[string]any

func decode(t *testing.T, kind string, n *Notice) object {
	t.Helper()
	r, err := Kinds[kind].render(n, terms{url: "https://receiver.example/hook", secret: "s", source: "serin", now: at})
	if err != nil {
		t.Fatal(err)
	}
	var v object
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// only reports keys that the published shape does not have.
func only(t *testing.T, where string, v object, keys ...string) {
	t.Helper()
	for k := range v {
		if !strings.Contains(" "+strings.Join(keys, " ")+" ", " "+k+" ") {
			t.Errorf("%s has the key %q, which the shape does not know", where, k)
		}
	}
}

// text reports a text that is missing or too long.
func text(t *testing.T, where string, v any, most int) {
	t.Helper()
	s, ok := v.(string)
	if n := utf8.RuneCountInString(s); !ok || n < 1 || n > most {
		t.Errorf("%s is %T of %d characters, want 1 to %d", where, v, n, most)
	}
}

func TestSlack_EveryNotice_KeepsToBlockKit(t *testing.T) {
	for name, n := range everyone() {
		m := decode(t, "slack", n)
		only(t, name, m, "text", "blocks")
		blocks := m["blocks"].([]any)
		if len(blocks) > 50 {
			t.Errorf("%s: %d blocks, at most 50", name, len(blocks))
		}
		for i, raw := range blocks {
			b := raw.(object)
			where := fmt.Sprintf("%s: block %d", name, i)
			only(t, where, b, "type", "text", "fields", "elements")
			switch b["type"] {
			case "header":
				slackTextShape(t, where, b["text"], "plain_text", 150)
			case "section":
				if b["text"] != nil {
					slackTextShape(t, where, b["text"], "mrkdwn", 3000)
				}
				fields, _ := b["fields"].([]any)
				if len(fields) > 10 || b["text"] == nil && len(fields) == 0 {
					t.Errorf("%s has %d fields", where, len(fields))
				}
				for _, f := range fields {
					slackTextShape(t, where, f, "mrkdwn", 2000)
				}
			case "actions":
				elements := b["elements"].([]any)
				if len(elements) < 1 || len(elements) > 25 {
					t.Errorf("%s has %d elements", where, len(elements))
				}
				seen := map[any]bool{}
				for _, raw := range elements {
					e := raw.(object)
					only(t, where, e, "type", "text", "url", "style", "action_id")
					slackTextShape(t, where, e["text"], "plain_text", 75)
					text(t, where, e["url"], 3000)
					if e["type"] != "button" || seen[e["action_id"]] || e["style"] != nil && e["style"] != "danger" {
						t.Errorf("%s: %v", where, e)
					}
					seen[e["action_id"]] = true
				}
			case "context":
				if len(b["elements"].([]any)) > 10 {
					t.Errorf("%s has too many elements", where)
				}
			default:
				t.Errorf("%s is a %v", where, b["type"])
			}
		}
	}
}

func slackTextShape(t *testing.T, where string, raw any, kind string, most int) {
	t.Helper()
	v := raw.(object)
	only(t, where, v, "type", "text", "emoji")
	text(t, where, v["text"], most)
	if v["type"] != kind || kind == "mrkdwn" && v["emoji"] != nil {
		t.Errorf("%s is %v", where, v)
	}
	if s := v["text"].(string); kind == "mrkdwn" && (strings.ContainsAny(s, "<>")) {
		t.Errorf("%s lets markup through: %.80s", where, s)
	}
}

func TestDiscord_EveryNotice_KeepsToEmbedLimits(t *testing.T) {
	for name, n := range everyone() {
		m := decode(t, "discord", n)
		only(t, name, m, "username", "embeds", "allowed_mentions")
		if parse := m["allowed_mentions"].(object)["parse"].([]any); len(parse) != 0 {
			t.Errorf("%s may mention %v", name, parse)
		}
		e := m["embeds"].([]any)[0].(object)
		only(t, name, e, "title", "description", "color", "timestamp", "fields", "footer")
		text(t, name+" title", e["title"], 256)
		text(t, name+" description", e["description"], 4096)
		text(t, name+" footer", e["footer"].(object)["text"], 2048)
		sum := 0
		for _, v := range []any{e["title"], e["description"], e["footer"].(object)["text"]} {
			sum += utf8.RuneCountInString(v.(string))
		}
		fields := e["fields"].([]any)
		if len(fields) > 25 {
			t.Errorf("%s: %d fields", name, len(fields))
		}
		for i, raw := range fields {
			f := raw.(object)
			only(t, name, f, "name", "value", "inline")
			text(t, fmt.Sprintf("%s field %d name", name, i), f["name"], 256)
			text(t, fmt.Sprintf("%s field %d value", name, i), f["value"], 1024)
			sum += utf8.RuneCountInString(f["name"].(string)) + utf8.RuneCountInString(f["value"].(string))
		}
		if sum > 6000 {
			t.Errorf("%s has %d characters, at most 6000", name, sum)
		}
		if c := e["color"].(float64); c < 1 || c > 0xffffff {
			t.Errorf("%s has colour %v", name, c)
		}
	}
}

func TestTeams_EveryNotice_KeepsToTheCardSchema(t *testing.T) {
	for name, n := range everyone() {
		r, err := teams(n, terms{url: "https://receiver.example"})
		if err != nil || len(r.body) > 28<<10 {
			t.Errorf("%s: %d bytes, at most 28 KiB, %v", name, len(r.body), err)
		}
		m := decode(t, "teams", n)
		only(t, name, m, "type", "attachments")
		a := m["attachments"].([]any)[0].(object)
		only(t, name, a, "contentType", "contentUrl", "content")
		if m["type"] != "message" || a["contentType"] != "application/vnd.microsoft.card.adaptive" || a["contentUrl"] != nil {
			t.Errorf("%s: %v", name, a)
		}
		card := a["content"].(object)
		only(t, name, card, "$schema", "type", "version", "msteams", "body", "actions")
		if card["type"] != "AdaptiveCard" || card["version"] != "1.4" {
			t.Errorf("%s: %v %v", name, card["type"], card["version"])
		}
		for _, raw := range card["body"].([]any) {
			e := raw.(object)
			switch e["type"] {
			case "TextBlock":
				only(t, name, e, "type", "text", "wrap", "size", "weight", "color", "fontType", "isSubtle")
				text(t, name, e["text"], 1500)
			case "FactSet":
				only(t, name, e, "type", "facts")
				for _, f := range e["facts"].([]any) {
					only(t, name, f.(object), "title", "value")
					text(t, name, f.(object)["title"], 500)
					text(t, name, f.(object)["value"], 500)
				}
			default:
				t.Errorf("%s has a %v", name, e["type"])
			}
		}
		actions, _ := card["actions"].([]any)
		for _, raw := range actions {
			only(t, name, raw.(object), "type", "title", "url")
			if raw.(object)["type"] != "Action.OpenUrl" {
				t.Errorf("%s: %v", name, raw)
			}
		}
	}
}

func TestWebhook_ASample_CarriesASignatureThatTheReceiverCanCheck(t *testing.T) {
	n := samples()["hold"]
	r, err := webhook(n, terms{url: "x", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", source: "serin", now: at})
	if err != nil {
		t.Fatal(err)
	}
	content := r.header.Get("webhook-id") + "." + r.header.Get("webhook-timestamp") + "." + string(r.body)
	if got := r.header.Get("webhook-signature"); got != "v1,"+sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", content) || len(got) != 47 {
		t.Errorf("got %q", got)
	}
	// The example of the specification's reference libraries.
	const id, stamp, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`
	if got, want := sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id+"."+stamp+"."+body), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

func TestHeadlines_ReadAsSentences(t *testing.T) {
	for name, want := range map[string]string{
		"hold":     "checkout is on hold at 5 %",
		"rollback": "checkout was rolled back from 5 % to 0 %",
		"approval": "checkout waits for product to approve 25 %",
		"complete": "checkout is complete: everybody is on 2026-11-20.3 (override)",
		"resolved": "Resolved: checkout is progressing",
	} {
		if got := headline(samples()[name]); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	again := *samples()["hold"]
	again.Repeat = 2
	if got := headline(&again); got != "Still: checkout is on hold at 5 %" {
		t.Errorf("got %q", got)
	}
}

func TestKinds_EveryOne_AsksForSomething(t *testing.T) {
	for name, k := range Kinds {
		asks := 0
		for _, key := range []string{"url", "secret", "command"} {
			if _, required := k.Asks(key); required {
				asks++
			}
		}
		if asks == 0 {
			t.Errorf("%s asks for nothing", name)
		}
	}
}
