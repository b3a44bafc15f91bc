# Everything a developer does. Each target says itself what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export NODE_NO_WARNINGS := 1

DATA ?= $(CURDIR)/data
ARGS ?=
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sidero
IMAGE := $(CACHE)/image/out
IPXE := $(CACHE)/ipxe-build/out
TEST := node tools/test.ts
UNIT := src/**/*.test.ts
LATE := test/**/*.test.ts

.PHONY: help setup peers generate crds check lint unit test conformance soak bench image ipxe up sim lab demo clean

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
	@node --test --test-reporter=dot '$(UNIT)' test/architecture.test.ts

check: lint unit ## before every commit; under a minute

test: lint peers ## everything, the lab's machines last; long proofs run short
	@$(TEST) '$(UNIT)' '$(LATE)'

conformance: peers ## the contract suite and the kubectl dialogues, on ours and on the genuine server
	@$(TEST) 'test/contract/**/*.test.ts' 'test/kubectl/**/*.test.ts'

soak: peers ## the long proofs whole: 200 crashes, many random objects (SCALE, ROUNDS)
	@ROUNDS=$${ROUNDS:-200} SCALE=$${SCALE:-20} $(TEST) '$(LATE)'

bench: peers ## ours and its peers side by side, one JSON object per line
	@node bench/main.ts $(ARGS)
	@node bench/boot/main.ts
	@node bench/power/main.ts
	@node bench/allocation/main.ts
	@node bench/metadata/main.ts
	@node bench/link/main.ts
	@node bench/sim/main.ts
	@node bench/sim/cluster.ts

image: setup ## kernel and initial RAM disk of the agent, from Debian's packages (ARCHITECTURES="amd64 arm64"; minutes the first time)
	@tools/image.sh $(IMAGE) $(ARCHITECTURES)

ipxe: setup ## our own build of iPXE from Debian's source package, with the script inside; make up then prefers it
	@tools/ipxe-build.sh $(IPXE)

up: setup image ## network boot and an API server on 127.0.0.1:6443, its state in DATA (./data)
	@bin/sidero up --data $(DATA) --agent-image $(IMAGE) --boot-programs "$$(if [ -e $(IPXE)/MANIFEST ]; then echo $(IPXE); else tools/ipxe.sh; fi)" $(ARGS)

sim: setup ## a simulated data centre, seed by seed, with everything going wrong (SEEDS=20 MACHINES=20 SEED_BASE=1 HOURS=2 STORY=1 WHO=SIM000003)
	@node sim/main.ts --seeds "$${SEEDS:-20}" --machines "$${MACHINES:-20}" --seed-base "$${SEED_BASE:-1}" --hours "$${HOURS:-2}" $${STORY:+--story} $${WHO:+--who "$$WHO"}

lab: setup ## a virtual rack to play with: QEMU machines with BMCs in a network namespace (ARGS="--machines 3 --firmware bios,uefi")
	@node lab/main.ts $(ARGS)

demo: setup ## three virtual machines register, are wiped, become a cluster, and one is released again; ONCE=1 ends after the summary
	@tools/demo.sh

clean: ## what setup and up made in this folder
	rm -rf node_modules data
