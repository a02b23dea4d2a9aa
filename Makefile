# Every target works on a fresh Debian 12 with Rust, git and make. `make help` lists them.
# Every target: some folders are called as one.
.PHONY: $(shell sed -n 's/^\([a-z0-9-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

CARGO ?= cargo
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)
# Debian keeps the programs of PostgreSQL's server out of PATH; looked up when a recipe runs, since it may install them.
WITH_POSTGRESQL = PATH="$$PATH:$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)"

BINARY = $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/keepward

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

build: ## the binary with the console in it: target/release/keepward
	@if npm --version >/dev/null 2>&1; then $(MAKE) console; else echo "Node is not installed: the server gets no console"; fi
	$(CARGO) build --release --package cli --bin keepward

console: ## build the console into web/dist, where the binary takes it from (needs Node 20.19 or later)
	cd web && npm ci --no-fund --no-audit && npm run build

demo: ## back up a simulated organization, lose data, get it back, compare (exit 1 on any difference)
	$(CARGO) run --quiet --package cli --bin keepward -- demo $(DEMO_ARGS)

test: test-packages ## install what the tests need from Debian's packages, run all tests
ifeq ($(NEXTEST),yes)
	$(WITH_POSTGRESQL) $(CARGO) nextest run --workspace
else
	$(WITH_POSTGRESQL) $(CARGO) test --workspace
endif

test-packages:
	@scripts/test-packages

test-azurite: ## the repository on Azure Blob storage: Azurite, from npm
	scripts/with-azurite $(CARGO) test --package repository --test integration -- --ignored cloud::on_azurite

test-object-lock: ## the object lock of S3: moto, from PyPI
	scripts/with-moto $(CARGO) test --package repository --test integration -- --ignored object_lock::

check: ## formatting, lints, documentation, dependency rules, generated files
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps --document-private-items --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; else echo "cargo-deny is not installed: bans, licenses and sources are checked where it is"; fi
	@scripts/generated-is-current
	@scripts/check-console

fmt: ## format the code
	$(CARGO) fmt --all

generate: ## rewrite docs/reference, and the console's types from it
	$(CARGO) run --quiet --package cli --bin keepward -- reference docs/reference
	@if npm --version >/dev/null 2>&1; then cd web && npm ci --no-fund --no-audit && npm run types; else echo "Node is not installed: web/src/api/schema.d.ts stays as it is"; fi

e2e: console ## people's journeys in a real browser, against the real server and the simulator
	@scripts/test-packages chromium curl openssl sqlite3
	$(CARGO) build --quiet --package cli --bin keepward
	cd web && KEEPWARD_BINARY="$(BINARY)" npm run --silent e2e

screenshots: console ## pictures of every page: docs/screenshots
	@scripts/test-packages chromium
	$(CARGO) build --quiet --package cli --bin keepward
	cd web && KEEPWARD_BINARY="$(BINARY)" npm run --silent screenshots

bench: ## measure the figures against restic, git and the request floors
	@scripts/test-packages
	$(CARGO) build --release --quiet --package cli --bin keepward --example bench
	$(CARGO) run --release --quiet --package cli --example bench $(BENCH_ARGS)

bench-scale: ## measure a million work items and a thousand repositories: ten minutes, 3 GB of memory, 5 GB of disk
	$(CARGO) build --release --quiet --package cli --bin keepward --example bench_scale
	$(CARGO) run --release --quiet --package cli --example bench_scale $(BENCH_ARGS)

judges: ## rustic_core judges what keepward writes, and keepward what rustic_core writes
	$(CARGO) build --quiet --package cli --bin keepward
	$(CARGO) run --quiet --manifest-path judges/Cargo.toml -- $${CARGO_TARGET_DIR:-target}/debug/keepward

SEEDS ?= 2000
simulate: ## more histories of the seeded simulation: make simulate SEEDS=10000; one again: SEED=17 cargo nextest run -p engine --test simulation
	SEEDS=$(SEEDS) $(CARGO) test --package engine --test simulation -- --test-threads 1
	SEEDS=$$(( $(SEEDS) / 50 + 1 )) $(CARGO) test --package engine --test simulation_http

crash-test: ## kill backup, restore, prune and copy at 50 random points of their writes: make crash-test [SEED=N]
	@scripts/test-packages
	$(CARGO) build --quiet --package cli --bin keepward --example crash-test
	$(CARGO) run --quiet --package cli --example crash-test -- $(if $(SEED),--seed $(SEED)) $(CRASH_TEST_ARGS)

FUZZ_SECONDS ?= 60
fuzz: ## other inputs for the fuzz targets each time: make fuzz FUZZ_SECONDS=3600
	@end=$$(( $$(date +%s) + $(FUZZ_SECONDS) )); while [ $$(date +%s) -lt $$end ]; do \
		PROPTEST_CASES=5000 $(CARGO) test --quiet --package repository --package service --lib fuzz:: || exit 1; done

api-fuzz: ## call every operation of a running server with right and wrong requests: schemathesis, from PyPI
	$(CARGO) build --quiet --package cli --bin keepward
	@scripts/api-fuzz

bench-api: ## measure lists on a large catalog (SQLite and PostgreSQL), and start and memory of an idle server
	@scripts/test-packages
	$(CARGO) build --release --quiet --package cli --bin keepward --example bench_api
	$(WITH_POSTGRESQL) $(CARGO) run --release --quiet --package cli --example bench_api $(BENCH_ARGS)

live: ## the conformance scenario on a sandbox organization of yours: make live ORG=... PAT_FILE=...
	@test -n "$(ORG)" && test -n "$(PAT_FILE)" || { echo "usage: make live ORG=my-sandbox PAT_FILE=pat.txt"; exit 2; }
	$(CARGO) run --quiet --package cli --bin keepward -- live "$(ORG)" --pat-file "$(PAT_FILE)"

doc: ## the API documentation of all crates
	$(CARGO) doc --workspace --no-deps --document-private-items
