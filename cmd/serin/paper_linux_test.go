package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

func TestVerb_DataThatDoesNotArrive_IsAFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, line := range []string{"version", "version -o json", "config schema", "config schema -o markdown", "--help", "completion bash"} {
		var talk bytes.Buffer
		e := &env{stdout: &paper{File: full}, stderr: &talk, getenv: func(string) string { return "" }}
		if code := e.run(context.Background(), strings.Fields(line)); code != exitFailure || !strings.Contains(talk.String(), "no space left on device") {
			t.Errorf("serin %s: exit %d, %s", line, code, talk.String())
		}
	}
}
