// Package chats has the requests that show a message in a chat, or on a telephone, by the
// service that takes them. Names and texts of an HSM mention nobody there, are no links and
// format nothing.
package chats

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf16"
)

// A Message is what a chat shows.
type Message struct {
	ID      string // the same when it is sent again
	Summary string // one line
	Text    string // further lines; "": none
	Links   []Link // of ours, not of an HSM
	Urgency int    // from 1 (nothing is wrong) to 5
}

// A Link is a text that leads somewhere.
type Link struct{ Href, Text string }

// A Call is a request to a chat; Body is sent as JSON.
type Call struct {
	Method string
	Body   any
}

func posted(body any) Call { return Call{http.MethodPost, body} }

// Services make a request of a message, by service. Each may change the URL. The
// text of an HSM goes where the service shows it as it is: into a block of plain text
// or of code, never into its markup.
var Services = map[string]func(u *url.URL, m Message) Call{
	"slack":      slack,
	"teams":      teams,
	"telegram":   telegram,
	"mattermost": func(_ *url.URL, m Message) Call { return posted(object{"text": coded(m, 3900)}) },
	"rocketchat": func(_ *url.URL, m Message) Call { return posted(object{"text": coded(m, 3900)}) },
	"googlechat": func(_ *url.URL, m Message) Call { return posted(object{"text": coded(m, 3900)}) },
	"discord": func(_ *url.URL, m Message) Call {
		return posted(object{"content": coded(m, 1900), "allowed_mentions": object{"parse": []string{}}})
	},
	"matrix": matrix,
	"ntfy":   ntfy,
	"gotify": func(_ *url.URL, m Message) Call {
		return posted(object{"title": within(inPlain.Replace(m.Summary), 250), "message": m.lines(3900), "priority": 2 * m.Urgency, "extras": object{"client::display": object{"contentType": "text/plain"}}})
	},
}

// An object is one of JSON.
type object map[string]any

// all returns summary and text of m.
func (m Message) all() string { return strings.TrimSpace(m.Summary + "\n\n" + m.Text) }

// listed returns the links of m, a line each.
func (m Message) listed() string {
	var b strings.Builder
	for _, l := range m.Links {
		b.WriteString("\n" + l.Text + ": " + l.Href)
	}
	return b.String()
}

// lines returns text and links of m; of one without a text, its summary.
func (m Message) lines(most int) string {
	text, links := m.Text, m.listed()
	if text == "" {
		text = m.Summary
	}
	return within(inPlain.Replace(text), most-units(links)) + links
}

// units is the length of s as the services count it: in UTF-16.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

// within returns at most so many units of s, with an ellipsis if that is not all.
func within(s string, most int) string {
	if units(s) <= most {
		return s
	}
	left := most - len("...")
	for i, r := range s {
		if left -= utf16.RuneLen(r); left < 0 {
			return s[:i] + "..."
		}
	}
	return s
}

// inCode are the characters that end a block of code, or mention somebody even in
// one: an invisible blank behind them has them mean nothing.
var inCode = strings.NewReplacer("`", "'", "@", "@\u200b", "<", "<\u200b")

// inPlain are the characters that make links and mentions where a service has no block
// of code for them: an invisible blank in them has them mean nothing.
var inPlain = strings.NewReplacer("://", ":\u200b//", "www.", "www\u200b.", "@", "@\u200b")

// coded returns m as a block of code of Markdown, and its links below.
func coded(m Message, most int) string {
	links := m.listed()
	return "```\n" + within(inCode.Replace(m.all()), most-units(links)) + "\n```" + links
}

// slackText has what is markup in a mrkdwn of Slack.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slack is an incoming webhook of Slack. Text is what a banner shows.
func slack(_ *url.URL, m Message) Call {
	blocks := []object{{"type": "section", "text": object{"type": "plain_text", "emoji": false, "text": within(m.all(), 2900)}}}
	var links []string
	for _, l := range m.Links {
		links = append(links, "<"+slackText.Replace(strings.ReplaceAll(l.Href, "|", "%7C"))+"|"+l.Text+">")
	}
	if len(links) > 0 {
		blocks = append(blocks, object{"type": "context", "elements": []object{{"type": "mrkdwn", "text": strings.Join(links, " ")}}})
	}
	return posted(object{"text": slackText.Replace(inCode.Replace(within(m.Summary, 500))), "blocks": blocks, "unfurl_links": false})
}

// teams is a workflow of Teams that posts a card. The runs of a RichTextBlock have no
// Markdown.
func teams(_ *url.URL, m Message) Call {
	block := func(text string, run object) object {
		run["type"], run["text"] = "TextRun", text
		return object{"type": "RichTextBlock", "inlines": []object{run}}
	}
	body := []object{block(within(m.Summary, 1000), object{"weight": "Bolder"})}
	for line := range strings.Lines(within(m.Text, 8000)) {
		if line = strings.TrimSpace(line); line != "" {
			body = append(body, block(line, object{}))
		}
	}
	var actions []object
	for _, l := range m.Links {
		actions = append(actions, object{"type": "Action.OpenUrl", "title": l.Text, "url": l.Href})
	}
	card := object{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	if len(actions) > 0 {
		card["actions"] = actions
	}
	return posted(object{"type": "message", "attachments": []object{{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}}})
}

// telegram is sendMessage of a bot, whose chat is in the query of the URL. What is
// marked as code has no mentions and no links.
func telegram(u *url.URL, m Message) Call {
	body := object{"link_preview_options": object{"is_disabled": true}}
	for key, values := range u.Query() {
		body[key] = values[0]
	}
	u.RawQuery = ""
	links := m.listed()
	text := within(m.all(), 4000-units(links))
	body["text"] = text + links
	body["entities"] = []object{{"type": "pre", "offset": 0, "length": units(text)}}
	return posted(body)
}

// matrix sends an event into a room. Sent again under the same name it is the same.
func matrix(u *url.URL, m Message) Call {
	*u = *u.JoinPath(m.ID)
	return Call{http.MethodPut, object{"msgtype": "m.text", "body": within(inPlain.Replace(m.all()), 8000) + m.listed(), "m.mentions": object{}}}
}

// ntfy publishes to the topic that the URL ends with.
func ntfy(u *url.URL, m Message) Call {
	topic := path.Base(u.Path)
	u.Path, u.RawPath = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), topic), ""
	body := object{"topic": topic, "title": within(inPlain.Replace(m.Summary), 250), "message": m.lines(1300), "priority": m.Urgency}
	if len(m.Links) > 0 {
		body["click"] = m.Links[len(m.Links)-1].Href
	}
	return posted(body)
}
