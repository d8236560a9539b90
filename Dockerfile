# syntax=docker/dockerfile:1
# The workbench as a container, see docs/fleet.md.
#   docker build -t ave-workbench .
#   docker run --rm --user "$(id -u):$(id -g)" -v /mnt/disk:/data -v "$PWD/reports:/reports" ave-workbench \
#     plan ledger --target 2000 --slo p99=10ms --data-dir /data --reports-dir /reports

# Same Debian release as the image below, for the same C and C++ libraries.
FROM rust:1.95.0-slim-bookworm AS build
# RocksDB is C++; bindgen needs libclang.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ libclang-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock README.md ./
COPY .cargo .cargo
COPY tools tools
COPY assets assets
COPY docs docs
COPY workloads workloads
COPY machines machines
# Cargo needs every target that the manifests name.
COPY benches benches
COPY examples examples
COPY tests tests
COPY src src
COPY workbench workbench
# Reports carry it: --build-arg AVE_BUILD_COMMIT="$(git rev-parse HEAD)"
ARG AVE_BUILD_COMMIT
# RocksDB takes about 18 minutes on two cores: keep it for the next build.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p ave-workbench \
    && install -D -t /out target/release/ave-workbench

FROM debian:12.12-slim
# tzdata is for `trace import --time-zone`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libstdc++6 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin workbench \
    && install -d -o workbench -g workbench /data /reports
COPY --from=build /out/ave-workbench /usr/local/bin/ave-workbench
# A number, because Kubernetes' runAsNonRoot does not resolve names.
USER 10001:10001
# Mount the disk to measure at /data; otherwise the overlay file system is measured.
VOLUME ["/data", "/reports"]
WORKDIR /data
ENTRYPOINT ["ave-workbench"]
CMD ["--help"]
