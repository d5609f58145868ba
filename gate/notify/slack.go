package notify

import "strings"

// Limits of Slack's Block Kit (docs.slack.dev/reference/block-kit/blocks): 50 blocks a message, header 150 characters, section
// text 3000, 10 fields of 2000, 25 elements of an actions block, button text 75, button url 3000.
const (
	slackBlocks  = 50
	slackHeader  = 150
	slackSection = 3000
	slackFields  = 10
	slackField   = 2000
	slackButton  = 75
	slackURL     = 3000
)

type slackMessage struct {
	Text   string       `json:"text"` // what a notification on a phone shows
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Fields   []slackText `json:"fields,omitempty"`
	Elements []any       `json:"elements,omitempty"`
}

type slackText struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji *bool  `json:"emoji,omitempty"` // of plain_text only: no :name: becomes a picture
}

type slackLink struct {
	Type     string    `json:"type"`
	Text     slackText `json:"text"`
	URL      string    `json:"url"`
	Style    string    `json:"style,omitempty"`
	ActionID string    `json:"action_id"`
}

// slackEscaper is all that Slack's text wants escaped: it keeps names from becoming mentions and links.
var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slack(n *Notice, t terms) (request, error) {
	head := headline(n)
	m := slackMessage{Text: limit(slackEscaper.Replace(head), slackSection)}
	m.Blocks = append(m.Blocks,
		slackBlock{Type: "header", Text: plainText(head, slackHeader)},
		slackBlock{Type: "section", Text: markdown(slackEscaper.Replace(join(n.Sentence, n.Next)), slackSection)})
	var fields []slackText
	for _, f := range facts(n) {
		fields = append(fields, *markdown("*"+slackEscaper.Replace(f.Name)+"*\n"+slackEscaper.Replace(f.Value), slackField))
	}
	for len(fields) > 0 && len(m.Blocks) < slackBlocks-3 {
		k := min(len(fields), slackFields)
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Fields: fields[:k]})
		fields = fields[k:]
	}
	if len(n.Links) > 0 {
		block := slackBlock{Type: "actions"}
		for i, l := range n.Links {
			if len(l.URL) > slackURL {
				continue
			}
			e := slackLink{Type: "button", Text: *plainText(l.Label, slackButton), URL: l.URL, ActionID: "serin-" + count(uint64(i))}
			if l.Verb == "rollback" {
				e.Style = "danger"
			}
			block.Elements = append(block.Elements, e)
		}
		if len(block.Elements) > 0 {
			m.Blocks = append(m.Blocks, block)
		}
	}
	if len(n.Commands) > 0 {
		code := limit(slackEscaper.Replace(commandText(n)), slackSection-8)
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Text: markdown("```\n"+code+"\n```", slackSection)})
	}
	m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: []any{markdown(slackEscaper.Replace("serin, "+stamp(n.At)+", "+n.ID), slackSection)}})
	return asJSON(t.url, m)
}

func plainText(text string, most int) *slackText {
	no := false
	return &slackText{Type: "plain_text", Text: limit(text, most), Emoji: &no}
}

func markdown(text string, most int) *slackText {
	return &slackText{Type: "mrkdwn", Text: limit(text, most)}
}

// join puts two sentences on two lines.
func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + "\n" + b
}
