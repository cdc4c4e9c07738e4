#!/usr/bin/env pwsh
# Load tests: starts the stack, puts load on it, stops it, and writes a report. run.ps1 --help says more.
# All it does is in load-tests/runner; run.sh is the same for Bash.
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot
& node (Join-Path $root 'bin/ensure-installed.js')
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
$name = if ($env:OS -eq 'Windows_NT') { 'node.exe' } else { 'node' }
$node = [IO.Path]::Combine($root, 'node_modules', 'node', 'bin', $name)
$main = [IO.Path]::Combine($root, 'load-tests', 'runner', 'main.ts')
& $node '--disable-warning=ExperimentalWarning' $main @args
exit $LASTEXITCODE
