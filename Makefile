# serin. `make help` lists the targets; `make check` is what continuous integration runs, in the same order.
GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
GOTESTSUM   := gotest.tools/gotestsum@v1.13.0
BENCHSTAT   := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
FUZZTIME    ?= 10s
RUNS        ?= 200
DURATION    ?= 10m
SEED        ?= 0
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.DEFAULT_GOAL := help
.PHONY: help build demo test race lint fmt fuzz golden openfeature examples sim e2e chaos soak bench bench-shared bench-report wire-peers bench-go bench-compare cover deploy-check rules dashboard dashboard-check tools browser test-browser pictures check

help: ## print the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build ./serin, static, without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o serin ./cmd/serin

demo: ## watch a bad canary being caught in under a minute
	$(GO) run ./cmd/serin demo

test: ## every test, without the race detector
	$(GO) test ./...

race: ## every test inside one process, with the race detector and released buffers overwritten
	$(GO) test -race -tags poison -timeout 20m -skip '^TestE2E' $$($(GO) list ./... | grep -v -e /bench/chaos$$ -e /bench/wire$$)

lint: ## vet, formatting, staticcheck
	$(GO) vet ./...
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change: $$out"; exit 1; fi
	$(GO) run $(STATICCHECK) ./...

fmt: ## rewrite the sources with gofumpt
	$(GO) run $(GOFUMPT) -w .

fuzz: ## every fuzz target for FUZZTIME (10s)
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

golden: ## rewrite golden files and transcripts; review them as prose
	$(GO) test ./gate ./config ./proxy/admin ./cmd/serin -skip '^TestE2E' -update

openfeature: ## flags with OpenFeature's own Go and web SDKs (needs node and npm)
	$(GO) test -count 1 -timeout 5m -run 'TestE2E_OpenFeature|TestE2E_Flags' -v ./cmd/serin

examples: ## run the pages of deploy/examples, NAME (all); `make examples UPDATE=-update` writes what they print
	$(GO) test -count 1 -timeout 20m -run 'TestE2E_Examples/$(NAME)' ./cmd/serin $(UPDATE)

sim: ## the gate's table against its bars and the naive rules, RUNS (200) ladders a cell
	$(GO) test ./gate/sim -run TestBars -v -timeout 60m -sim.runs=$(RUNS)

# Decisions rest on chance: gate.md lets one stage in twenty be held by it. A test of a whole release that fails is run
# once more, by itself, and must pass then.
e2e: ## the built binary between real processes, on the real clock, one package at a time
	$(GO) run $(GOTESTSUM) --format standard-quiet --rerun-fails=1 --rerun-fails-max-failures=5 --packages=./cmd/serin -- -count 1 -timeout 20m -run '^TestE2E'
	$(GO) run $(GOTESTSUM) --format standard-quiet --rerun-fails=1 --rerun-fails-max-failures=5 --packages='./bench/chaos ./bench/wire' -- -count 1 -timeout 20m -p 1

chaos: ## faults at full size, SEED (0: another one) repeats a storm; then again with serin built for races
	$(GO) test -count 1 -timeout 30m -v ./bench/chaos -skip '^TestSoak' -chaos.full -chaos.duration 2m -chaos.seed $(SEED)
	$(GO) test -count 1 -timeout 30m -v ./bench/chaos -skip '^TestSoak' -chaos.race -chaos.duration 1m -chaos.seed $(SEED)

soak: ## reloads, weights and upstream restarts for DURATION (10m)
	$(GO) test -count 1 -timeout 24h -v ./bench/chaos -run '^TestSoak' -chaos.duration $(DURATION) -chaos.seed $(SEED)

bench: ## serin beside nginx, HAProxy and Caddy, pinned, every scenario, 12 minutes (Debian packages nginx-light haproxy wrk)
	$(GO) run ./bench -proxies nginx,haproxy,caddy,serin -scenarios all -duration 2s

bench-shared: ## the same with nothing pinned
	$(GO) run ./bench -proxies nginx,haproxy,caddy,serin -scenarios all -duration 2s -pinned=false

bench-report: ## tables and pictures in bench/results again, from their data
	for f in bench/results/*.json; do $(GO) run ./bench report $$f || exit 1; done

wire-peers: ## raw exchanges through serin, nginx and HAProxy, judged alike (Debian packages nginx haproxy)
	$(GO) run ./bench/wire

bench-go: ## Go benchmarks, benchstat-friendly
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./router ./gate/... ./proxy/... | tee bench.txt

bench-compare: ## compare bench.old.txt with bench.txt
	$(GO) run $(BENCHSTAT) bench.old.txt bench.txt

cover: ## coverage of every package
	$(GO) test -coverprofile=coverage.out ./... && $(GO) tool cover -func=coverage.out | tail -n 1

deploy-check: build ## systemd units, socket activation and system calls (Debian packages systemd strace curl)
	deploy/check.sh ./serin

tools: ## install what tests run and this machine has not (Debian packages; as root)
	@absent=""; for pair in promtool:prometheus jq:jq curl:curl node:nodejs npm:npm openssl:openssl; do \
		command -v $${pair%%:*} >/dev/null || absent="$$absent $${pair##*:}"; done; \
	[ -z "$$absent" ] || { echo "installing$$absent"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$absent >/dev/null; }

rules: tools ## Prometheus' own check and tests of deploy/prometheus
	promtool check rules deploy/prometheus/serin.rules.yml
	promtool test rules deploy/prometheus/serin.rules_test.yml

DASHBOARD := proxy/admin/dashboard
NPM_CI    := npm ci --no-audit --no-fund --ignore-scripts --loglevel error

dashboard: ## build the page from proxy/admin/dashboard/src (Node.js 20 or newer)
	cd $(DASHBOARD) && $(NPM_CI) && node build.mjs

dashboard-check: ## build the page again: the committed build is these bytes; and its unit tests
	cd $(DASHBOARD) && $(NPM_CI) && node --test test/unit.mjs && rm -rf .again && node build.mjs .again && diff -r dist .again && rm -rf .again

browser: # what the browser tests run: Debian's Chromium, serin, and the stand that plays the API
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-inter; }
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/serin ./cmd/serin
	$(GO) build -o bin/stand ./$(DASHBOARD)/test/stand

test-browser: dashboard-check browser ## the page in headless Chromium, on the real daemon and in every state
	cd $(DASHBOARD) && export SERIN_BIN=$(CURDIR)/bin/serin STAND_BIN=$(CURDIR)/bin/stand && \
		{ node --test --test-concurrency 1 test/*.test.mjs || { echo "once more: real releases rest on chance" && node --test --test-concurrency 1 test/*.test.mjs; }; }

pictures: browser ## the pictures of README, from real releases (Debian packages fonts-inter fonts-dejavu-core)
	cd $(DASHBOARD) && $(NPM_CI) && SERIN_BIN=$(CURDIR)/bin/serin node test/pictures.mjs $(CURDIR)/deploy/pictures

check: tools lint build race rules e2e test-browser ## what continuous integration runs
