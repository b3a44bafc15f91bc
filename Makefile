# Everything a developer does. Each target says itself what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export NODE_NO_WARNINGS := 1

DATA ?= $(CURDIR)/data
ARGS ?=
# A failed test may leave a connection open: that is no reason to wait for ever.
TEST := node --test --test-force-exit --test-timeout=900000
UNIT := src/**/*.test.ts
LATE := test/**/*.test.ts

.PHONY: help setup peers generate crds check lint unit test conformance soak bench up demo clean

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: node_modules/.stamp ## Node 26 and the packages of the lock file (quick when done)

node_modules/.stamp: package-lock.json tools/setup.sh
	@tools/setup.sh
	@touch $@

peers: setup ## what the proofs compare with: kubectl 1.32 and 1.36, the genuine API server, its garbage collector
	@tools/peers.sh

generate: setup ## everything that is written from a table: lint overrides, CRDs, reference pages
	@node tools/lint-layers.ts
	@for tool in crds reference; do [ ! -e tools/$$tool.ts ] || node tools/$$tool.ts; done

crds: setup ## deploy/crds/ from src/kinds/
	@node tools/crds.ts

lint: setup ## format, lint, types, generated files
	@oxfmt --check .
	@oxlint --type-aware --quiet
	@tsc -p .
	@node tools/lint-layers.ts --check

unit: setup ## the tests beside the code
	@$(TEST) --test-reporter=dot '$(UNIT)' test/architecture.test.ts

check: lint unit ## before every commit; under a minute

test: lint peers ## everything, fast first; long proofs run short
	@$(TEST) '$(UNIT)' '$(LATE)'

conformance: peers ## the contract suite and the kubectl dialogues, on ours and on the genuine server
	@$(TEST) 'test/contract/**/*.test.ts' 'test/kubectl/**/*.test.ts'

soak: peers ## the long proofs whole: 200 crashes, many random objects (SCALE, ROUNDS)
	@ROUNDS=$${ROUNDS:-200} SCALE=$${SCALE:-20} $(TEST) '$(LATE)'

bench: peers ## ours and the genuine server side by side, one JSON object per line
	@node bench/main.ts $(ARGS)

up: setup ## a server on 127.0.0.1:6443 with its state in DATA (./data)
	@bin/sidero up --data $(DATA) $(ARGS)

demo: setup ## Sidero comes up, sample servers and classes go in through kubectl; ONCE=1 ends after the summary
	@tools/demo.sh

clean: ## what setup and up made in this folder
	rm -rf node_modules data
