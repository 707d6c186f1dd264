# The few commands that this project needs; `make` lists them.

.DEFAULT_GOAL := help
.PHONY: help build pgo install demo test soak chaos sim fuzz bench fmt clean

CARGO ?= cargo
PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
BINARY ?= target/pgo/release/slotway

help: ## Show this list
	@sed -n 's/^\([a-z]*\): ## /  make \1\t/p' Makefile | expand -t 16

build: ## Build the release binary, target/release/slotway
	$(CARGO) build --release

pgo: ## Build the binary to ship, target/pgo/release/slotway: optimised by a profile of itself (five minutes)
	@tests/setup pgo
	CARGO="$(CARGO)" benches/pgo

install: ## Install what `make pgo` built, its manual page and completions below PREFIX (/usr/local)
	@test -x $(BINARY) || { echo "no $(BINARY) here: make pgo builds it" >&2; exit 1; }
	$(BINARY) --version >/dev/null
	install -D $(BINARY) $(DESTDIR)$(PREFIX)/bin/slotway
	$(BINARY) man | install -D -m 644 /dev/stdin $(SHARE)/man/man1/slotway.1
	$(BINARY) completions bash | install -D -m 644 /dev/stdin $(SHARE)/bash-completion/completions/slotway
	$(BINARY) completions zsh | install -D -m 644 /dev/stdin $(SHARE)/zsh/site-functions/_slotway
	$(BINARY) completions fish | install -D -m 644 /dev/stdin $(SHARE)/fish/vendor_completions.d/slotway.fish
	install -D -m 644 config/slotway.toml $(SHARE)/doc/slotway/slotway.toml

demo: ## Show slotway in front of a throwaway cluster, until Ctrl-C (ONCE=1: end after the show)
	@tests/setup demo
	$(CARGO) run --release -- sandbox $(if $(ONCE),--once)

test: ## Install what the tests need, then check form, lints, documents and run every test
	@tests/setup test
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items
	RUST_TEST_THREADS=$$((2 * $$(nproc))) $(CARGO) test # they wait more than they compute
	PYTHONPATH=benches PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -q sidebyside.test_parsing
	$(CARGO) bench --bench instructions

sim: ## Try SEEDS (10000) random interleavings of each kind of trouble in virtual time (a few minutes)
	SLOTWAY_SIM_SEEDS=$(or $(SEEDS),10000) $(CARGO) test --release --lib sim:: -- --nocapture

fuzz: ## Fuzz parsers and a whole worker for SECONDS (60) each; installs cargo-fuzz below target/
	tests/fuzz/run $(or $(SECONDS),60)

soak: ## Compare random requests with one server's answers for SECONDS (60)
	@tests/setup test
	SLOTWAY_TEST_SOAK=$(or $(SECONDS),60) $(CARGO) test --test suite -- --ignored --nocapture against_single::soak

chaos: ## Break real clusters in every way, SECONDS (20) each, while clients work (SERVERS=all: of every version)
	@tests/setup test
	SLOTWAY_TEST_CHAOS=$(or $(SECONDS),20) SLOTWAY_TEST_SERVERS=$(SERVERS) $(CARGO) test --test suite -- --ignored --nocapture chaos::long_run

bench: ## Measure slotway beside its peers (benches/run --help tells more)
	benches/run $(BENCH)

fmt: ## Format the sources
	$(CARGO) fmt

clean: ## Remove all that was built or installed here
	$(CARGO) clean
	rm -rf .venv tests/node_modules
