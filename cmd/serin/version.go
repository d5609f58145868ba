package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildInfo is what the binary knows of itself.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the source; empty when unknown
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func build() buildInfo {
	b := buildInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}

// String is the build in a line.
func (b buildInfo) String() string {
	line := "serin " + b.Version + " (" + b.Go + ", " + b.Platform
	if b.Revision != "" {
		line += ", " + b.Revision[:min(12, len(b.Revision))]
	}
	return line + ")"
}

func newVersionCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "print the version", Args: noArgs}
	output := outputFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		asJSON, err := wantJSON(*output)
		if err != nil {
			return err
		}
		b := build()
		if asJSON {
			return e.printJSON(b)
		}
		e.print(b.String())
		return nil
	}
	return cmd
}
