#!/bin/sh
# Writes v1.pcapng and v1.ndjson with the writers of the last version whose markers were sentences.
# Run it in the repository; it needs no network when the dependencies of that version are in Cargo's cache.
set -eu
version=df10cb6
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(mktemp -d)
trap 'git worktree remove --force "$checkout"' EXIT
git worktree add --detach "$checkout" "$version"
mkdir "$checkout/examples"
cp "$here/golden.rs" "$checkout/examples/golden.rs"
CARGO_TARGET_DIR="${GOLDEN_TARGET:-$checkout/target}" cargo run --release --quiet --manifest-path "$checkout/Cargo.toml" --example golden -- "$here"
