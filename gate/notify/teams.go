package notify

import "strings"

// Teams takes an Adaptive Card (adaptivecards.io/explorer, version 1.4) in a message's attachment from a workflow's webhook;
// learn.microsoft.com ("Create incoming webhooks with Workflows") gives 28 KB for a whole message. Used of the schema: TextBlock,
// FactSet, Action.OpenUrl.
const (
	teamsText  = 1500
	teamsFacts = 30
	teamsValue = 500
	teamsBytes = 28 << 10
)

type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string            `json:"$schema"`
	Type    string            `json:"type"`
	Version string            `json:"version"`
	MSTeams map[string]string `json:"msteams"`
	Body    []teamsElement    `json:"body"`
	Actions []teamsAction     `json:"actions,omitempty"`
}

type teamsElement struct {
	Type     string      `json:"type"`
	Text     string      `json:"text,omitempty"`
	Wrap     bool        `json:"wrap,omitempty"`
	Size     string      `json:"size,omitempty"`
	Weight   string      `json:"weight,omitempty"`
	Color    string      `json:"color,omitempty"`
	FontType string      `json:"fontType,omitempty"`
	IsSubtle bool        `json:"isSubtle,omitempty"`
	Facts    []teamsFact `json:"facts,omitempty"`
}

type teamsFact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// teamsEscaper keeps names from becoming links; what else cards know of markdown does no harm.
var teamsEscaper = strings.NewReplacer("[", `\[`, "]", `\]`)

var teamsColours = map[string]string{Info: "Accent", Warning: "Warning", Critical: "Attention"}

func teams(n *Notice, t terms) (request, error) {
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", MSTeams: map[string]string{"width": "Full"},
	}
	block := func(text string) teamsElement {
		return teamsElement{Type: "TextBlock", Text: limit(teamsEscaper.Replace(text), teamsText), Wrap: true}
	}
	head := block(headline(n))
	head.Size, head.Weight, head.Color = "Large", "Bolder", teamsColours[n.Severity]
	card.Body = append(card.Body, head, block(n.Sentence))
	if n.Next != "" {
		card.Body = append(card.Body, block(n.Next))
	}
	set := teamsElement{Type: "FactSet"}
	for _, f := range facts(n) {
		if len(set.Facts) < teamsFacts {
			set.Facts = append(set.Facts, teamsFact{teamsEscaper.Replace(f.Name), limit(teamsEscaper.Replace(f.Value), teamsValue)})
		}
	}
	if len(set.Facts) > 0 {
		card.Body = append(card.Body, set)
	}
	for _, c := range n.Commands {
		e := block(c)
		e.FontType = "Monospace"
		card.Body = append(card.Body, e)
	}
	foot := block("serin, " + stamp(n.At) + ", " + n.ID)
	foot.IsSubtle, foot.Size = true, "Small"
	card.Body = append(card.Body, foot)
	for _, l := range n.Links {
		card.Actions = append(card.Actions, teamsAction{"Action.OpenUrl", limit(l.Label, 75), l.URL})
	}
	r, err := teamsRequest(t.url, card)
	for len(r.body) > teamsBytes && len(set.Facts) > 0 { // a rollout with very many gates: the last facts go
		set.Facts = set.Facts[:len(set.Facts)-1]
		for i := range card.Body {
			if card.Body[i].Type == "FactSet" {
				card.Body[i] = set
			}
		}
		r, err = teamsRequest(t.url, card)
	}
	return r, err
}

func teamsRequest(url string, card teamsCard) (request, error) {
	return asJSON(url, teamsMessage{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}})
}
