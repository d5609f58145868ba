package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"serin/gate"
)

// mostAnswer bounds what is read of an answer.
const mostAnswer = 1 << 20

func itoa(n int) string { return strconv.Itoa(n) }

func ftoa(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// query asks Prometheus' HTTP API for an instant value (/api/v1/query). The answer must be one number: a scalar, or a vector
// of one sample.
func (p *Prober) query(ctx context.Context, a Ask, s Subject) (reading, error) {
	form := url.Values{"query": {filled(a.Query, s)}}
	body, err := p.fetch(ctx, a, strings.TrimSuffix(a.URL, "/")+"/api/v1/query", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return reading{}, err
	}
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string          `json:"resultType"`
			Result     json.RawMessage `json:"result"`
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return reading{}, errors.New("the answer is no JSON of Prometheus' API")
	}
	if answer.Status != "success" {
		return reading{}, fmt.Errorf("the query failed: %s", short(answer.Error))
	}
	var pair []any
	switch answer.Data.ResultType {
	case "scalar":
		err = json.Unmarshal(answer.Data.Result, &pair)
	case "vector":
		var list []struct{ Value []any }
		err = json.Unmarshal(answer.Data.Result, &list)
		if err == nil && len(list) != 1 {
			return reading{}, fmt.Errorf("the query gives %d values, want 1: aggregate it", len(list))
		}
		if err == nil {
			pair = list[0].Value
		}
	default:
		return reading{}, fmt.Errorf("the query gives a %s, want one number", short(answer.Data.ResultType))
	}
	if err != nil || len(pair) != 2 {
		return reading{}, errors.New("the answer has no value")
	}
	text, _ := pair[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return reading{}, fmt.Errorf("the value is %q: no number to judge by", short(text))
	}
	return reading{value: v}, nil
}

// check posts the subject and expects {"verdict": "allow" | "hold" | "fail", "reason": "..."}, or {"value": 0.03} where the
// gate has limits.
func (p *Prober) check(ctx context.Context, a Ask, s Subject) (reading, error) {
	question, err := json.Marshal(s)
	if err != nil {
		return reading{}, err
	}
	body, err := p.fetch(ctx, a, a.URL, "application/json", question)
	if err != nil {
		return reading{}, err
	}
	var answer struct {
		Verdict, Reason string
		Value           *float64
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return reading{}, errors.New(`the answer is no JSON: want {"verdict":"allow"}`)
	}
	r := reading{note: short(answer.Reason)}
	if a.Value {
		if answer.Value == nil {
			return reading{}, errors.New(`the answer has no value: want {"value":0.03}, as the gate has limits`)
		}
		r.value = *answer.Value
		return r, nil
	}
	switch answer.Verdict {
	case "allow":
		r.answer = gate.Pass
	case "hold":
		r.answer = gate.Hold
	case "fail":
		r.answer = gate.Fail
	default:
		return reading{}, fmt.Errorf("the verdict is %q, want allow, hold or fail", short(answer.Verdict))
	}
	return r, nil
}

// fetch posts and returns the body of a 200.
func (p *Prober) fetch(ctx context.Context, a Ask, to, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json")
	if a.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+a.Bearer)
	}
	resp, err := p.o.Client.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) { // without the address: it may carry credentials
			err = outer.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > mostAnswer:
		return nil, errors.New("the answer is longer than 1 MiB")
	case resp.StatusCode != http.StatusOK && !(a.Query != "" && json.Valid(raw)): // Prometheus says why in its body
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	return raw, nil
}

// short keeps somebody else's text to a line.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 200 {
		return string(r[:200]) + "..."
	}
	return text
}
