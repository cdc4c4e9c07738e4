#!/usr/bin/env bash
# Load tests: starts the stack, puts load on it, stops it, and writes a report. run.sh --help says more.
# All it does is in load-tests/runner; run.ps1 is the same for PowerShell.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
node "$root/bin/ensure-installed.js"
exec "$root/node_modules/.bin/node" --disable-warning=ExperimentalWarning "$root/load-tests/runner/main.ts" "$@"
