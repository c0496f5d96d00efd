# Short names for what one does here; each is one command that you may as well type yourself.
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/.tools/venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo kube-tools kube kube-down import-tools test lint fmt doc deny bench capture check install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
setup: ## put the pinned tools under .tools/ (ansible); says what it can't get
	@scripts/setup.sh ansible
demo: ## set up, build, run the shipped pipeline twice, and see why the second run did nothing
	@scripts/demo.sh
kube-tools: ## build Kubernetes, kwok, kine and two versions of helm into .tools/kube/bin (needs Go; minutes, once)
	@scripts/setup.sh kube
kube: kube-tools ## a Kubernetes control plane of your own in build/kube, on loopback; says how to use it
	@config=$$(scripts/kube.sh up build/kube) && \
	  printf 'use it:    export KUBECONFIG=%s PATH=%s:$$PATH\n' "$$config" '$(CURDIR)/.tools/kube/bin' && \
	  echo 'stop it:   make kube-down   (it keeps what it holds; scripts/kube.sh down build/kube --wipe forgets it)'
kube-down: ## stop it
	@scripts/kube.sh down build/kube
import-tools: ## put doit, just, Task and files of public projects under .tools/ (the stories of `infra import`; needs cargo and Go)
	@scripts/setup.sh bench import
test: setup kube-tools import-tools ## every test
	cargo test --locked --no-fail-fast
lint: ## clippy, shellcheck, yamllint, ansible-lint, terraform fmt
	cargo clippy --locked --all-targets -- -D warnings
	@scripts/lint.sh
fmt: ## format the code
	cargo fmt
doc: ## the code's documentation, without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
deny: ## licences, sources and bans of dependencies
	@scripts/deny.sh
bench: ## time infra beside make, ninja, doit and Task (SIZES="1000 10000")
	cargo build --locked --release
	python3 bench/bench.py
capture: ## make the terminal picture of the README anew (needs tmux)
	@scripts/capture.sh
check: ## everything that CI does
	@.ci/run
install: ## install the program for this user
	cargo install --locked --path .
clean: ## remove what was built and set up; the state of .infra/ and terraform stays
	cargo clean
	rm -rf .tools
