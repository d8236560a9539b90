# The two commands of the README: `make plan` and `make test`. Both install what is missing.

# Tests use the profile dev, measurements the profile release; ccache compiles RocksDB once for both.
CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
WORKBENCH := $(TARGET_DIR)/release/ave-workbench
# The published backend has a RocksDB of its own: a second directory keeps both compiled.
PEERS_TARGET_DIR := $(TARGET_DIR)-peers

.PHONY: help plan fleet fleet-test test power-cuts check lockfiles deps build bench peers downstream fmt clean

help:
	@echo "make plan   which machine for the shipped ledger-node workload? (two or three minutes once built)"
	@echo "make fleet  the same question to every host of an inventory (INVENTORY=hosts.ini, see docs/fleet.md)"
	@echo "make test   all tests"
	@echo "make fleet-test  the fleet against three sshd and a Slurm on this machine (about 90 s once built)"
	@echo "make power-cuts  1,000 power cuts per durability mode (about 10 minutes once built; CUTS=…)"
	@echo "make check  formatting, clippy and documentation, warnings as errors"
	@echo "make bench  criterion benchmarks (under five minutes once built)"
	@echo "make peers  this backend and three others in turn (about 10 minutes once built; PEERS='--quick': 4)"
	@echo "make build  the workbench, optimised: $(WORKBENCH)"

plan: build
	@$(WORKBENCH) plan ledger-node --target "20 fact/s" --slo fact:p95=200ms --quick; code=$$?; \
	case $$code in \
	0) ;; \
	1) echo "make plan: no machine qualified for the target (exit code 1)" ;; \
	3) echo "make plan: inconclusive, see the reasons above (exit code 3)" ;; \
	*) exit $$code ;; \
	esac

# Further options of ansible-playbook: FLEET='--limit m6i,localhost', FLEET='-e fleet_again=true'.
INVENTORY ?= hosts.ini
fleet: build
	@[ -f "$(INVENTORY)" ] || { echo "make: there is no $(INVENTORY): copy deploy/ansible/hosts.ini, or give INVENTORY=FILE" >&2; exit 1; }
	@command -v ansible-playbook >/dev/null 2>&1 || tools/install ansible-core openssh-client
	ANSIBLE_CONFIG=deploy/ansible/ansible.cfg AVE_WORKBENCH=$(abspath $(WORKBENCH)) \
		ansible-playbook -i $(INVENTORY) -e fleet_from=$(CURDIR) $(FLEET) deploy/ansible/fleet.yml

# With the binary of `make test`.
fleet-test: deps
	@missing=""; \
	command -v ansible-playbook >/dev/null 2>&1 || missing="$$missing ansible-core"; \
	[ -x /usr/sbin/sshd ] || missing="$$missing openssh-server"; \
	[ -x /usr/sbin/slurmctld ] || missing="$$missing slurmctld"; \
	[ -x /usr/sbin/slurmd ] || missing="$$missing slurmd"; \
	[ -x /usr/sbin/munged ] || missing="$$missing munge"; \
	command -v sbatch >/dev/null 2>&1 || missing="$$missing slurm-client"; \
	[ -z "$$missing" ] || tools/install $$missing
	[ -x $(TARGET_DIR)/debug/ave-workbench ] || $(CARGO) build --locked --all-features -p ave-workbench
	# Both mostly wait.
	@deploy/slurm/test.sh $(TARGET_DIR)/debug/ave-workbench & slurm=$$!; \
	deploy/ansible/test.sh $(TARGET_DIR)/debug/ave-workbench; ansible=$$?; \
	wait $$slurm && exit $$ansible

# Many tests wait for a load or a process: more of them than cores at a time.
test: deps
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((2 * $$(nproc)))} $(CARGO) test --locked --all-features
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
	[ -z "$$missing" ] || tools/install $$missing
