# SPDX-License-Identifier: Apache-2.0
#
# Everything that a developer or CI does. Bare `make` prints the list.

SHELL       := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
BIN     := bin/kubectl-safe_roll
# The version is git's, where there is git and a commit; else it says "dev".
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
RELEASE ?= v0.1.0
PREFIX  ?= $(HOME)/.local
SOAK    ?= 20

LINT := $(GO) tool -modfile=.tools/go.mod golangci-lint

##@ Use

.PHONY: build
build: ## build the plugin into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/kubectl-safe_roll

.PHONY: install
install: build ## put the plugin into $PREFIX/bin (default ~/.local/bin), where kubectl finds it if that is on PATH
	install -d '$(PREFIX)/bin'
	install -m 0755 $(BIN) '$(PREFIX)/bin/kubectl-safe_roll'
	@echo 'installed $(PREFIX)/bin/kubectl-safe_roll; try: kubectl safe-roll'
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo 'kubectl looks for it on your PATH, where $(PREFIX)/bin is not yet';; esac

.PHONY: demo
demo: ## replace three workers, one by one, on a real API server; nothing may be lost
	cd e2e && $(GO) run ./cmd/demo

.PHONY: shell
shell: ## the same cluster, and a shell in it with kubectl and the plugin
	cd e2e && $(GO) run ./cmd/demo shell

.PHONY: lab
lab: ## a shell in a cluster with the real Longhorn manager (root, or user namespaces; the first run builds it)
	cd e2e && $(GO) run ./cmd/demo lab

##@ Test

.PHONY: test
test: test-unit test-e2e ## every test: this module's, then the bench's

.PHONY: test-unit
test-unit: ## the tests that need no control plane
	$(GO) test -timeout 30m ./... ./.ci/release

.PHONY: test-e2e
test-e2e: ## the tests on a real control plane (the first run builds it, some minutes)
	cd e2e && $(GO) run ./bench/prebuild
	cd e2e && $(GO) test -p 1 -timeout 60m $$($(GO) list ./... | grep -v '/lab$$')

.PHONY: test-lab
test-lab: ## the core scenarios with the real Longhorn manager (root, or user namespaces)
	cd e2e && $(GO) run ./bench/prebuild
	cd e2e && $(GO) test -count=1 -timeout 60m -v ./lab

.PHONY: e2e
e2e: test-e2e test-lab ## both, as CI runs them

.PHONY: e2e-all
e2e-all: ## all of them, the long ones too, and the world's tests with the real Longhorn manager; hours
	cd e2e && $(GO) run ./bench/prebuild
	cd e2e && SAFE_ROLL_LAB_ALL=1 $(GO) test -p 1 -count=1 -timeout 180m ./...
	cd e2e && SAFE_ROLL_LAB=1 $(GO) test -parallel 1 -count=1 -timeout 180m ./world

BENCH_VOLUMES ?= 1000,10000
.PHONY: bench
bench: ## what it costs to ask large clusters, against other ways, in one run
	cd e2e && $(GO) run ./cmd/bench -volumes '$(BENCH_VOLUMES)'

# How long each fuzzer runs, and how many clusters make ten million with the
# oracle's own rounds. What is new is made smaller in a few tries: else most of
# the time goes into that.
FUZZTIME   ?= 20m
FUZZFLAGS  := -run '^$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x
FUZZCHECKS ?= 10000
ORACLE     := AgreesWithTheOracle|WorseFacts|WhateverTheFacts

.PHONY: fuzz
fuzz: ## fuzz what reads for $FUZZTIME each, then ten million random clusters against the oracle
	$(GO) test ./pkg/observe $(FUZZFLAGS) -fuzz FuzzFiles
	$(GO) test ./plugins/longhorn $(FUZZFLAGS) -fuzz FuzzReader
	$(GO) test ./pkg/cli $(FUZZFLAGS) -fuzz FuzzDamage
	GOGC=1600 $(GO) test ./pkg/assess -run '$(ORACLE)' -rapid.checks=$(FUZZCHECKS) -timeout 24h

.PHONY: mutate
mutate: ## how many small faults in the rules the tests notice; the survivors by name
	$(GO) run ./.ci/mutate -slow '$(ORACLE)' -known .ci/mutate/assess.txt pkg/assess

.PHONY: soak
soak: ## the simulator's campaigns at length: $SOAK times what go test does (docs/simulator.md)
	SOAK=$(SOAK) SIM_DOCS='$(CURDIR)/docs' GOGC=1600 \
	  $(GO) test ./pkg/sim -count=1 -v -timeout 48h | grep -v '^=== '

# What starts goroutines, itself or through what it uses, and has tests; of the
# simulator those that take seconds.
RACY    := ./cmd/... ./pkg/roll ./pkg/book/... ./pkg/observe ./pkg/live ./pkg/act/... ./pkg/cli ./pkg/trail ./pkg/view ./pkg/scenario ./plugins/...
RACYSIM := TakenOver|TestBook_|TestObserve_|AStandardRoll
.PHONY: race
race: ## the race detector over whatever starts a goroutine, without the simulator's campaigns (minutes)
	CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 1h $(RACY)
	CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 1h ./pkg/sim -run '$(RACYSIM)'

.PHONY: cover
cover: ## coverage of this module, in coverage.out
	$(GO) test -coverprofile=coverage.out ./...
	$(GO) tool cover -func=coverage.out | tail -n 1

##@ Check

.PHONY: verify
verify: checks test test-lab ## all that CI runs

.PHONY: checks
checks: fmt-check vet arch mod lint ## what verify adds to test

.PHONY: fmt-check
fmt-check: ## fail where gofmt would change a file
	@out=$$(gofmt -l .ci cmd pkg plugins e2e); \
	if [ -n "$$out" ]; then echo "not formatted; run: make fmt"; echo "$$out"; exit 1; fi
	@echo 'gofmt: ok'

.PHONY: vet
vet: ## go vet, both modules
	$(GO) vet ./...
	cd e2e && $(GO) vet ./...

.PHONY: arch
arch: ## the house rules, as tests
	$(GO) test -count=1 ./pkg/internal/archtest

.PHONY: mod
mod: ## the modules are tidy and what was downloaded is what was published
	$(GO) mod tidy -diff
	cd e2e && $(GO) mod tidy -diff
	$(GO) mod verify

.PHONY: lint
lint: ## golangci-lint, pinned in .tools/go.mod (the first run builds it)
	$(LINT) run ./...

##@ Maintain

.PHONY: fmt
fmt: ## format the code
	gofmt -w .ci cmd pkg plugins e2e

.PHONY: update
update: ## rewrite what is generated: golden files, the linter's layers; read the diff
	$(GO) test ./pkg/internal/archtest -run Linter -update
	$(GO) test ./pkg/view ./pkg/cli -update

.PHONY: terminal
terminal: ## capture a whole roll on terminals of 80 and 200 columns and through a pipe, into docs/terminal/ (tmux)
	cd e2e && CAPTURES='$(CURDIR)/docs/terminal' SHELL='$(CURDIR)/e2e/terminal/capture.sh' $(GO) run ./cmd/demo shell

.PHONY: dist
dist: ## archives of $RELEASE for every platform into dist/ (PLATFORMS=host for this one alone)
	$(GO) run ./.ci/release -version '$(RELEASE)' $(PLATFORMS)

.PHONY: krew-manifest
krew-manifest: ## the same, and krew-manifest.yaml from what was built
	$(GO) run ./.ci/release -version '$(RELEASE)' -manifest krew-manifest.yaml $(PLATFORMS)

.PHONY: reproduce
reproduce: dist ## build them again, elsewhere and with an empty cache, and compare
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	mkdir "$$tmp/tree"; git ls-files -z --cached --others --exclude-standard -- . ':!e2e' | tar --null --files-from=- -cf - | tar -xf - -C "$$tmp/tree"; \
	(cd "$$tmp/tree" && GOCACHE="$$tmp/cache" $(GO) run ./.ci/release -version '$(RELEASE)' $(PLATFORMS)); \
	diff dist/checksums.txt "$$tmp/tree/dist/checksums.txt"; echo 'reproduce: the same bytes'

.PHONY: clean
clean: ## delete what was built here (not the Go caches, not the bench's cache)
	rm -rf bin dist coverage.out

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*##"; printf "usage: make TARGET\n"} \
	  /^[a-zA-Z0-9_-]+:.*##/ { printf "  %-14s %s\n", $$1, $$2 } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) }' $(MAKEFILE_LIST)
