package proxy

import (
	"testing"

	"serin/gate/window"
	"serin/proxy/upstream"
)

func TestClassify_EveryEnding(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  ending
		want window.Outcome
	}{
		{"101 is judged on its handshake", ending{status: 101}, window.Informational},
		{"2xx is success", ending{status: 204}, window.Success},
		{"3xx is no error", ending{status: 304}, window.Redirect},
		{"4xx is the client's fault", ending{status: 404}, window.ClientError},
		{"408 from upstream is an ordinary 4xx", ending{status: 408}, window.ClientError},
		{"429 is bad", ending{status: 429}, window.Throttled},
		{"5xx is bad", ending{status: 503}, window.ServerError},
		{"a status that is none proves nothing", ending{status: 999}, window.Neutral},
		{"the zero ending proves nothing", ending{}, window.Neutral},

		{"refused", ending{origin: byUpstream, reason: upstream.Connect}, window.Unreachable},
		{"no connection in time", ending{origin: byUpstream, reason: upstream.ConnectTime}, window.Unreachable},
		{"TLS failure", ending{origin: byUpstream, reason: upstream.TLS}, window.Unreachable},
		{"no server left", ending{origin: byUpstream, reason: upstream.NoServer}, window.Unreachable},
		{"no head in time", ending{origin: byUpstream, reason: upstream.ResponseTime}, window.Timeout},
		{"reset before the head", ending{origin: byUpstream, reason: upstream.Reset}, window.Reset},
		{"nonsense", ending{origin: byUpstream, reason: upstream.Malformed}, window.Reset},
		{"cut after the head", ending{origin: upstreamLate, reason: upstream.Truncated, status: 200}, window.Truncated},
		{"stalled after the head", ending{origin: upstreamLate, reason: upstream.Stalled, status: 200}, window.Truncated},
		{"a 5xx cut is one server error", ending{origin: upstreamLate, reason: upstream.Truncated, status: 500}, window.ServerError},

		{"our queue is full", ending{origin: byUpstream, reason: upstream.QueueFull}, window.Neutral},
		{"our queue took too long", ending{origin: byUpstream, reason: upstream.QueueTime}, window.Neutral},
		{"no descriptor to dial with", ending{origin: byUpstream, reason: upstream.Shortage}, window.Neutral},
		{"our pool is being retired", ending{origin: byUpstream, reason: upstream.Closed}, window.Neutral},
		{"no route", ending{origin: byUs, status: 404}, window.Neutral},
		{"a bug of ours", ending{origin: byUs, status: 500}, window.Neutral},
		{"bad framing", ending{origin: byClient, status: 400}, window.Neutral},
		{"a slow body", ending{origin: byClient, status: 408}, window.Neutral},
		{"left before the answer", ending{origin: clientLeft, status: 499}, window.Abort},
		{"left during a good answer", ending{origin: clientLeft, status: 200}, window.Abort},
		{"left during a failed answer", ending{origin: clientLeft, status: 502}, window.ServerError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.end.classify(); got != tt.want {
				t.Errorf("%+v: got %v, want %v", tt.end, got, tt.want)
			}
		})
	}
}

// TestClassify_OnlyTheUpstreamIsBlamed is invariant I9 over every combination.
func TestClassify_OnlyTheUpstreamIsBlamed(t *testing.T) {
	t.Parallel()
	for origin := answered; origin <= upstreamLate; origin++ {
		for reason := range upstream.ServerError + 1 {
			for _, status := range []int{0, 200, 302, 400, 404, 413} {
				o := ending{origin, reason, status}.classify()
				if o.Bad() && (origin == byClient || origin == byUs || origin == clientLeft || origin == answered) {
					t.Errorf("origin %d reason %s status %d: %v counts against the arm", origin, reason, status, o)
				}
			}
		}
	}
}
