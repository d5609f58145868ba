package main

import (
	"strconv"
	"testing"

	"serin/config"
)

func TestWriteSerin_AnyNumberOfRoutes_IsAValidConfiguration(t *testing.T) {
	t.Parallel()
	f := func(routes, rollouts, wantRollouts int, canary string) {
		t.Helper()
		s := setup{dir: t.TempDir(), port: 8123, admin: 8124, canary: canary, routes: routes, rollouts: rollouts}
		for i := range stableHosts {
			s.stable = append(s.stable, "127.0.0.1:"+strconv.Itoa(9001+i))
		}
		args, err := writeSerin(s)
		if err != nil {
			t.Fatal(err)
		}
		plan, problems := config.Load(args[len(args)-1], config.Options{})
		if plan == nil {
			t.Fatalf("%d routes, %d rollouts: %v", routes, rollouts, problems)
		}
		if len(plan.Rollouts) != wantRollouts || len(plan.Routes) != max(1, routes) {
			t.Errorf("got %d rollouts on %d routes, want %d on %d", len(plan.Rollouts), len(plan.Routes), wantRollouts, max(1, routes))
		}
	}
	f(0, 0, 1, "127.0.0.1:9100")
	f(0, 0, 1, "unix:/tmp/c.sock")
	f(100, 0, 1, "127.0.0.1:9100")
	f(100, 100, 100, "127.0.0.1:9100")
}
