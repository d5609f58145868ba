package notify

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of Discord's embeds (docs.discord.com, Message resource, Embed limits): title 256 characters, description 4096, 25
// fields of name 256 and value 1024, footer 2048, 6000 in all; content 2000.
const (
	discordTitle       = 256
	discordDescription = 4096
	discordFields      = 25
	discordName        = 256
	discordValue       = 1024
	discordTotal       = 6000
)

type discordMessage struct {
	Username string         `json:"username"`
	Embeds   []discordEmbed `json:"embeds"`
	Mentions struct {
		Parse []string `json:"parse"` // none: no text of ours can wake a channel
	} `json:"allowed_mentions"`
}

type discordEmbed struct {
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Color       int            `json:"color"`
	Timestamp   string         `json:"timestamp"`
	Fields      []discordField `json:"fields,omitempty"`
	Footer      discordFooter  `json:"footer"`
}

type discordField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

type discordFooter struct {
	Text string `json:"text"`
}

// discordEscaper keeps names from becoming markup.
var discordEscaper = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "~", `\~`, "|", `\|`, "[", `\[`, "]", `\]`, "<", `\<`, "#", `\#`)

// colours by severity: what is not grey wants a look; the words say it too.
var colours = map[string]int{Info: 0x3b7dd8, Warning: 0xd98e04, Critical: 0xc62828}

func discord(n *Notice, t terms) (request, error) {
	e := discordEmbed{
		Title: limit(discordEscaper.Replace(headline(n)), discordTitle), Color: colours[n.Severity],
		Description: limit(discordEscaper.Replace(join(n.Sentence, n.Next)), discordDescription/2),
		Timestamp:   n.At.UTC().Format(time.RFC3339), Footer: discordFooter{Text: limit("serin, "+n.ID, 200)},
	}
	left := discordTotal - length(e.Title) - length(e.Description) - length(e.Footer.Text)
	add := func(name, value string) {
		f := discordField{Name: limit(name, discordName), Value: limit(value, discordValue)}
		if size := length(f.Name) + length(f.Value); size <= left && len(e.Fields) < discordFields {
			e.Fields = append(e.Fields, f)
			left -= size
		}
	}
	for _, l := range n.Links { // first: they must not be what is cut
		if length(l.URL) < discordValue-100 {
			add(l.Label, "["+l.Label+"]("+l.URL+")")
		}
	}
	if len(n.Commands) > 0 {
		add("Commands", "```\n"+limit(strings.ReplaceAll(commandText(n), "```", "'''"), discordValue-8)+"\n```")
	}
	for _, f := range facts(n) {
		add(discordEscaper.Replace(f.Name), discordEscaper.Replace(f.Value))
	}
	m := discordMessage{Username: "serin", Embeds: []discordEmbed{e}}
	m.Mentions.Parse = []string{}
	return asJSON(t.url, m)
}

func length(s string) int { return utf8.RuneCountInString(s) }
