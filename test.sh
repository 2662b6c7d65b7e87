#!/usr/bin/env bash
# Builds everything and runs every test, installing what the machine lacks. Ends with a count over all runners; fails if a test failed.
#   ./test.sh            all
#   ./test.sh NAME       only the .NET tests whose full name holds NAME
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '\n== %s\n' "$*"; }
missing() { echo "test.sh: $1" >&2; exit 1; }

command -v dotnet >/dev/null || missing "the .NET 10 SDK is missing; install it from your package manager or https://dot.net."
dotnet --list-sdks | grep -q '^10\.' || missing "the .NET 10 SDK is missing; dotnet --list-sdks shows only other versions."

# NAME of a command, PACKAGE of Debian that brings it.
need() {
  command -v "$1" >/dev/null && return
  command -v apt-get >/dev/null || missing "$1 is missing and there is no apt-get to install it with; install $1 and run again."
  local root=""
  [ "$(id -u)" = 0 ] || root="sudo"
  say "installing $2"
  [ -n "${apt_updated:-}" ] || { $root apt-get update -qq; apt_updated=1; }
  # Only the program is wanted; a service of the same package must not start by itself.
  $root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$2" >/dev/null \
    || missing "$2 could not be installed; install it and run again."
}
need curl curl
need node nodejs
need npm npm

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

say "build"
dotnet build PushQueue.sln -c Release --nologo -v quiet

say "node packages"
for folder in examples/wordcount; do
  [ -f "$folder/package.json" ] && (cd "$folder" && npm ci --silent --no-audit --no-fund)
done

passed=0 failed=0 skipped=0
for project in PushQueue.Tests PushQueue.SystemTests; do
  say "$project"
  status=0
  filter=()
  [ -n "${1:-}" ] && filter=(--filter "FullyQualifiedName~$1")
  dotnet test "tests/$project" -c Release --no-build --nologo --logger "trx;LogFileName=$results/$project.trx" "${filter[@]}" || status=$?
  counters=$(grep -o '<Counters [^>]*>' "$results/$project.trx" 2>/dev/null || true)
  if [ -z "$counters" ]; then
    [ -n "${1:-}" ] && [ "$status" = 0 ] && continue
    echo "test.sh: $project ended without a result (status $status)." >&2
    failed=$((failed + 1))
    continue
  fi
  number() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  passed=$((passed + $(number passed)))
  project_failed=$(number failed)
  [ "$status" = 0 ] || [ "$project_failed" -gt 0 ] || project_failed=1
  failed=$((failed + project_failed))
  skipped=$((skipped + $(number total) - $(number executed)))
done

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
