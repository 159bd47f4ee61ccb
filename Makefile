# Every target is one script or one cargo call; `make help` lists them.
# CLUSTER=current uses the cluster of KUBECONFIG instead of starting one.
SHELL := /usr/bin/env bash
export CLUSTER ?= local
export CARGO_TARGET_DIR ?= $(or $(FLOWPILOT_CACHE),$(HOME)/.cache/flowpilot)/target

.DEFAULT_GOAL := help
.PHONY: help up down logs test check soak fuzz bench generate images cluster-up cluster-down deny

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## a local Kubernetes with Postgres and FlowPilot on it, and a first workflow run (CLUSTER=current: yours)
	@e2e/scripts/up.sh

down: ## remove everything that `make up` made
	@e2e/scripts/down.sh

logs: ## follow the output of all FlowPilot pods
	@e2e/scripts/logs.sh

test: ## every test, from formatting to the cluster; ends with one line of counts
	@e2e/scripts/test.sh

check: ## fast: formatting, lints, tests inside the crates (generated files are among them)
	@e2e/scripts/test.sh --quick

soak: ## random workflows with fresh seeds, held against the language: SECONDS=3600 or SEEDS=100000
	@SOAK_SECONDS=$(or $(SECONDS),$(if $(SEEDS),100000000,600)) SEEDS=$(or $(SEEDS),1000000000) FIRST=$$(date +%s000000) cargo test -q --workspace --locked --test proofs seeds -- --nocapture

fuzz: ## random input for every reader of the engine, for SECONDS=600 each
	@FUZZ_SECONDS=$(or $(SECONDS),600) cargo test -q --workspace --locked --test proofs fuzz -- --nocapture --test-threads=2

bench: ## measure on the running local world and print a table
	@e2e/scripts/bench.sh

generate: ## write the generated files: custom resource definitions
	@cargo run -q --locked --bin generate

images: ## build the container images, and load them into the cluster if it runs
	@e2e/images/build.sh $(if $(filter current,$(CLUSTER)),--current)

cluster-up: ## only Kubernetes and Postgres, without FlowPilot
	@e2e/scripts/cluster-up.sh

cluster-down: ## stop and remove Kubernetes and its Postgres
	@e2e/cluster/down.sh && e2e/postgres/down.sh

deny: ## check licenses, sources and banned crates
	@e2e/scripts/tools.sh deny && PATH="$(or $(FLOWPILOT_CACHE),$(HOME)/.cache/flowpilot)/bin:$$PATH" cargo deny check bans licenses sources
