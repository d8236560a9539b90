# The two commands of the README: `make plan` and `make test`. Both install what is missing.

# Tests use the profile dev, measurements the profile release; ccache compiles RocksDB once for both.
CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
WORKBENCH := $(TARGET_DIR)/release/ave-workbench
# The published backend has a RocksDB of its own: a second directory keeps both compiled.
PEERS_TARGET_DIR := $(TARGET_DIR)-peers

.PHONY: help plan test power-cuts check lockfiles deps build bench peers downstream fmt clean

help:
	@echo "make plan   which machine for the shipped ledger workload? (a minute or two once built)"
	@echo "make test   all tests"
	@echo "make power-cuts  1,000 power cuts per durability mode (about 10 minutes once built; CUTS=…)"
	@echo "make check  formatting, clippy and documentation, warnings as errors"
	@echo "make bench  criterion benchmarks (under five minutes once built)"
	@echo "make peers  this backend and three others in turn (about 10 minutes once built; PEERS='--quick': 4)"
	@echo "make build  the workbench, optimised: $(WORKBENCH)"

plan: build
	@$(WORKBENCH) plan ledger --target 200 --slo p99=25ms --quick; code=$$?; \
	case $$code in \
	0) ;; \
	1) echo "make plan: no machine qualified for the target (exit code 1)" ;; \
	3) echo "make plan: inconclusive, see the reasons above (exit code 3)" ;; \
	*) exit $$code ;; \
	esac

test: deps
	$(CARGO) test --locked --all-features
	$(CARGO) bench --locked --all-features --profile dev -- --test
	$(MAKE) downstream

# Both modes at once. A failure names its seed: AVE_POWER_SEED=… CUTS=8 repeats it.
CUTS ?= 1000
power-cuts: deps
	AVE_POWER_CUTS=$(CUTS) $(CARGO) test --locked --all-features -p ave-workbench --test it -- power_cuts::

downstream: deps
	$(CARGO) run --locked --quiet --manifest-path examples/downstream/Cargo.toml --target-dir $(abspath $(TARGET_DIR))

# Every lock file is up to date: `make peers` and others build with --locked.
lockfiles:
	$(CARGO) update --quiet --workspace --locked
	$(CARGO) update --quiet --workspace --locked --manifest-path examples/downstream/Cargo.toml
	$(CARGO) update --quiet --workspace --locked --manifest-path benches/peers/Cargo.toml
	$(CARGO) update --quiet --workspace --locked --manifest-path benches/peers/ours/Cargo.toml

check: deps lockfiles
	$(CARGO) fmt --all --check
	$(CARGO) fmt --check --manifest-path examples/downstream/Cargo.toml
	$(CARGO) fmt --check --manifest-path benches/peers/Cargo.toml --all
	$(CARGO) fmt --check --manifest-path benches/peers/ours/Cargo.toml
	$(CARGO) clippy --locked --all-features --all-targets -- -D warnings
	$(CARGO) clippy --locked -p ave-actors-rocksdb --no-default-features --features trace -- -D warnings
	$(CARGO) clippy --locked -p ave-workbench --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --all-features --no-deps

build: deps
	$(CARGO) build --locked --release -p ave-workbench

bench: deps
	$(CARGO) bench --locked --all-features

# Compiles a second RocksDB, the one of the published backend, the first time.
peers: deps
	$(CARGO) build --locked --release --manifest-path benches/peers/Cargo.toml --target-dir $(abspath $(PEERS_TARGET_DIR))
	$(CARGO) build --locked --release --manifest-path benches/peers/ours/Cargo.toml --target-dir $(abspath $(TARGET_DIR))
	$(PEERS_TARGET_DIR)/release/ave-peer-compare $(PEERS)

fmt:
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path examples/downstream/Cargo.toml
	$(CARGO) fmt --manifest-path benches/peers/Cargo.toml --all
	$(CARGO) fmt --manifest-path benches/peers/ours/Cargo.toml

clean:
	$(CARGO) clean

# What a bare Debian with a Rust toolchain lacks: libclang, with which bindgen reads RocksDB's C header, perhaps a C++
# compiler, and ccache, which keeps a second profile or clone from compiling RocksDB again.
deps:
	@missing=""; \
	command -v c++ >/dev/null 2>&1 || missing="$$missing g++"; \
	command -v ccache >/dev/null 2>&1 || missing="$$missing ccache"; \
	[ -n "$$LIBCLANG_PATH" ] || ls /usr/lib/llvm-*/lib/clang/*/include/stddef.h >/dev/null 2>&1 \
		|| missing="$$missing libclang-dev"; \
	[ -z "$$missing" ] && exit 0; \
	if ! command -v apt-get >/dev/null 2>&1; then \
		echo "make: please install:$$missing (package names as Debian has them)" >&2; exit 1; \
	fi; \
	sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	echo "make: installing$$missing"; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing >/dev/null
