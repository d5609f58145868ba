package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cloudEvent is CloudEvents 1.0 in its structured JSON form (cloudevents.io, spec v1.0.2, JSON event format).
type cloudEvent struct {
	SpecVersion     string  `json:"specversion"`
	ID              string  `json:"id"`
	Source          string  `json:"source"`
	Type            string  `json:"type"`
	Subject         string  `json:"subject"`
	Time            string  `json:"time"`
	DataContentType string  `json:"datacontenttype"`
	Data            *Notice `json:"data"`
}

// webhook signs with Standard Webhooks' headers (standardwebhooks.com, symmetric signature v1): the receiver checks
// base64(HMAC-SHA256(secret, id + "." + timestamp + "." + body)). The timestamp is of the try, the id of the notice.
func webhook(n *Notice, t terms) (request, error) {
	id := "serin-" + strings.ReplaceAll(n.key(), "/", "-")
	body, err := json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: id, Source: t.source, Type: "serin.rollout." + n.Event, Subject: n.Rollout,
		Time: n.At.UTC().Format(time.RFC3339Nano), DataContentType: "application/json", Data: n,
	})
	if err != nil {
		return request{}, err
	}
	h := http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}
	if t.secret != "" {
		at := strconv.FormatInt(t.now.Unix(), 10)
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", at)
		h.Set("webhook-signature", "v1,"+sign(t.secret, id+"."+at+"."+string(body)))
	}
	return request{url: t.url, body: body, header: h}, nil
}

// sign is the symmetric signature; a secret "whsec_..." is base64, any other is taken as it is.
func sign(secret, content string) string {
	key := []byte(secret)
	if coded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(coded); err == nil {
			key = raw
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(content))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var jsonHeader = http.Header{"Content-Type": {"application/json; charset=utf-8"}}

// asJSON is the request of a sink that takes plain JSON. Texts stay readable: <, > and & are not escaped.
func asJSON(url string, v any) (request, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return request{}, err
	}
	return request{url: url, body: []byte(b.String()), header: jsonHeader}, nil
}
