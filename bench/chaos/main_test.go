package chaos

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

var (
	full     = flag.Bool("chaos.full", false, "full sizes: 10,000 idle connections, 5,000 dribbling clients, waits of minutes")
	seed     = flag.Uint64("chaos.seed", 1, "of the storm's faults; 0: another one every time")
	duration = flag.Duration("chaos.duration", 0, "of storm and soak; 0: some seconds")
	withRace = flag.Bool("chaos.race", false, "build serin with the race detector, and with released buffers overwritten")
)

// program is the built binary, or why there is none.
var program = sync.OnceValues(buildSerin)

// programDir is removed at the end.
var programDir = filepath.Join(os.TempDir(), fmt.Sprintf("serin-chaos-%d", os.Getpid()))

func buildSerin() (string, error) {
	path := filepath.Join(programDir, "serin")
	args := []string{"build", "-o", path}
	if *withRace {
		args = append(args, "-race", "-tags", "poison")
	}
	out, err := exec.Command("go", append(args, "serin/cmd/serin")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

func TestMain(m *testing.M) {
	flag.Parse()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue { // they wait more than they compute
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	os.RemoveAll(programDir)
	os.Exit(code)
}

// lasting is how long storms and soaks last.
func lasting(small time.Duration) time.Duration {
	if *duration > 0 {
		return *duration
	}
	return small
}

// sized is a full-size number with -chaos.full.
func sized(small, large int) int {
	if *full {
		return large
	}
	return small
}
