#!/bin/bash
# Checks dependencies against deny.toml: licences, bans, sources; advisories where their database can be had.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2

if [ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $version" ]; then
  echo "deny: installing cargo-deny $version, which takes minutes, once per machine"
  cargo install --locked --quiet cargo-deny --version "$version"
fi
cargo deny --locked check --hide-inclusion-graph bans licenses sources
# The database of advisories is fetched from the network; where it can't be had, that is said and no more.
if ! cargo deny --locked fetch db >/dev/null 2>&1; then
  echo "deny: advisories NOT checked: their database could not be fetched"
  exit 0
fi
cargo deny --locked check --hide-inclusion-graph --disable-fetch advisories
