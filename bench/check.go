package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// expectedShare is the canary's part of the users in every proxy's configuration.
const expectedShare = 0.10

// settleTimeout is how long a proxy may take until the canary gets users: serin starts a rollout once its pool is healthy.
const settleTimeout = 20 * time.Second

// checker asks a proxy what it must get right before its speed is worth a word.
type checker struct {
	client http.Client
	base   string
}

// check asks 2,000 users' requests twice and every size of body; it returns what is wrong. The canary has until settle
// to get its first user.
func check(ctx context.Context, address string, settle time.Duration) error {
	c := &checker{base: "http://" + address}
	transport := &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}
	defer transport.CloseIdleConnections()
	c.client = http.Client{Transport: transport, Timeout: 10 * time.Second}

	if err := c.settle(ctx, settle); err != nil {
		return err
	}
	arms, err := c.arms(ctx)
	if err != nil {
		return err
	}
	again, err := c.arms(ctx)
	if err != nil {
		return err
	}
	if moved := differences(arms, again); moved > 0 {
		return fmt.Errorf("%d of %d users changed their arm", moved, users)
	}
	if err := checkShare(arms); err != nil {
		return err
	}
	return c.bodies(ctx)
}

// settle waits for the first user on the canary.
func (c *checker) settle(ctx context.Context, within time.Duration) error {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		for user := range 100 {
			if arm, err := c.arm(ctx, user); err == nil && arm == "canary" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("no user on the canary within %v", within)
}

func (c *checker) arms(ctx context.Context) ([]string, error) {
	arms := make([]string, users)
	for user := range arms {
		arm, err := c.arm(ctx, user)
		if err != nil {
			return nil, fmt.Errorf("user %d: %w", user, err)
		}
		arms[user] = arm
	}
	return arms, nil
}

// arm is who answered a user, the body being right.
func (c *checker) arm(ctx context.Context, user int) (string, error) {
	header, body, err := c.do(ctx, "GET", "/100", user, nil)
	if err == nil && !bytes.Equal(body, pattern(100)) {
		err = fmt.Errorf("a wrong body of %d bytes", len(body))
	}
	return header.Get("X-Arm"), err
}

// bodies asks every size, and sends bodies of several, each for some users.
func (c *checker) bodies(ctx context.Context) error {
	for user := range 20 {
		for _, n := range sizes {
			_, body, err := c.do(ctx, "GET", "/"+strconv.Itoa(n), user, nil)
			if err != nil {
				return err
			}
			if !bytes.Equal(body, pattern(n)) {
				return fmt.Errorf("GET of %d bytes: a wrong body of %d", n, len(body))
			}
		}
		for _, n := range []int{1, 10240, 300_000} {
			sent := pattern(n + user)
			header, _, err := c.do(ctx, "POST", "/100", user, sent)
			if err != nil {
				return err
			}
			want := fmt.Sprintf("%08x", crc32.ChecksumIEEE(sent))
			if header.Get("X-Received") != strconv.Itoa(len(sent)) || header.Get("X-Sum") != want {
				return fmt.Errorf("POST of %d bytes: the upstream got %s with sum %s, want %s", len(sent), header.Get("X-Received"), header.Get("X-Sum"), want)
			}
		}
	}
	return nil
}

func (c *checker) do(ctx context.Context, method, path string, user int, body []byte) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("X-User-ID", "user-"+strconv.Itoa(user))
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: status %s", method, path, answer.Status)
	}
	return answer.Header, got, err
}

func differences(a, b []string) int {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// checkShare wants the canary's users within four standard deviations of a tenth.
func checkShare(arms []string) error {
	canary := 0
	for _, arm := range arms {
		switch arm {
		case "canary":
			canary++
		case "stable":
		default:
			return fmt.Errorf("an answer of arm %q", arm)
		}
	}
	n := float64(len(arms))
	share := float64(canary) / n
	if off := math.Abs(share - expectedShare); off > 4*math.Sqrt(expectedShare*(1-expectedShare)/n) {
		return fmt.Errorf("%.1f %% of the users on the canary, want about %.0f %%", 100*share, 100*expectedShare)
	}
	return nil
}
