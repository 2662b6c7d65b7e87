#!/usr/bin/env bash
# Builds everything and runs every test, and installs missing tools. Ends with a count over all runners; fails if a test failed.
#   ./test.sh            all but the packaging tests
#   ./test.sh --all      these, too: packages and published servers are built once more and tried, as continuous integration does
#   ./test.sh NAME       only the .NET tests whose full name contains NAME
set -euo pipefail
cd "$(dirname "$0")"

# A job in the background starts with SIGINT ignored. A shell cannot undo that, all its children inherit it, and tests send SIGINT.
if [ -z "${PUSHQUEUE_TEST_SIGNALS:-}" ] && env --default-signal=INT true 2>/dev/null; then
  exec env --default-signal=INT PUSHQUEUE_TEST_SIGNALS=default ./test.sh "$@"
fi
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Tests start many short-lived servers. The code that the runtime instruments for its optimizer costs them more than half of their CPU time.
export DOTNET_TieredPGO=0

say() { printf '\n== %s (%d s since the start)\n' "$*" "$SECONDS"; }
missing() { echo "test.sh: $1" >&2; exit 1; }

command -v dotnet >/dev/null || missing "the .NET 10 SDK is missing; install it from your package manager or https://dot.net."
dotnet --list-sdks | grep -q '^10\.' || missing "the .NET 10 SDK is missing; dotnet --list-sdks shows only other versions."

# Debian keeps daemons outside the usual PATH, and the programs of PostgreSQL in a folder for each version.
PATH=$PATH:/usr/sbin
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done

# NAME of a command, PACKAGES of Debian that bring it.
need() {
  command -v "$1" >/dev/null && return
  command -v apt-get >/dev/null || missing "$1 is missing and there is no apt-get to install it with; install $1 and run again."
  local root=""
  [ "$(id -u)" = 0 ] || root="sudo"
  say "installing ${*:2}"
  [ -n "${apt_updated:-}" ] || { $root apt-get update -qq; apt_updated=1; }
  # Only the program is needed; a service of the same package must not start by itself.
  $root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${@:2}" >/dev/null \
    || missing "${*:2} could not be installed; install it and run again."
}
need curl curl
need node nodejs
need npm npm
need redis-server redis-server
need haproxy haproxy
need chromium chromium
need python3 python3
# lwp-request stands for LWP, which is a Perl library without a command of its own.
need lwp-request libwww-perl
need logger bsdutils
# Tests of peers that vanish: network namespaces.
need ip iproute2
need unshare util-linux
need promtool prometheus
# Tests start a cluster of their own, as the user of the package where root runs them (runuser).
need initdb postgresql
need runuser util-linux
# The libraries are those of its plugin write_http, which the package does not depend on.
need collectd collectd-core libyajl2 libcurl3-gnutls

say "texts"
python3 tools/check-text.py

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

say "build"
dotnet build PushQueue.sln -c Release --nologo -v quiet

say "node packages"
for folder in examples/wordcount tests/dashboard tests/openapi client-js; do
  [ -f "$folder/package.json" ] && (cd "$folder" && npm ci --silent --no-audit --no-fund)
done

say "client-js"
(cd client-js && npm run --silent build)

passed=0 failed=0 skipped=0

# PROJECT, FILTER, NAME of the result file.
run_dotnet() {
  local status=0 counters project_failed
  dotnet test "tests/$1" -c Release --no-build --nologo --filter "$2" --logger "trx;LogFileName=$results/$3.trx" || status=$?
  counters=$(grep -o '<Counters [^>]*>' "$results/$3.trx" 2>/dev/null || true)
  if [ -z "$counters" ]; then
    [ -n "$only" ] && [ "$status" = 0 ] && return
    echo "test.sh: $1 ended without a result (status $status)." >&2
    failed=$((failed + 1))
    return
  fi
  number() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  passed=$((passed + $(number passed)))
  project_failed=$(number failed)
  [ "$status" = 0 ] || [ "$project_failed" -gt 0 ] || project_failed=1
  failed=$((failed + project_failed))
  skipped=$((skipped + $(number total) - $(number executed)))
}

packaging=
if [ "${1:-}" = --all ]; then
  packaging=1
  shift
fi
only=${1:+&FullyQualifiedName~$1}
for project in PushQueue.Tests PushQueue.SystemTests PushQueue.ClientTests PushQueue.EntityFrameworkCore.Tests; do
  say "$project"
  run_dotnet "$project" "Category!=Packaging&Category!=Soak$only" "$project"
done

# Packages and published servers are built once more, from the state of the repository; with other tests at once they would time out.
[ -z "$packaging$only" ] || for project in PushQueue.SystemTests PushQueue.ClientTests; do
  say "packaging: $project"
  run_dotnet "$project" "Category=Packaging$only" "packaging-$project"
done

# A failed Node test may leave something that keeps its process alive. The time limit makes sure that the counts are printed.
runner="timeout --kill-after=10 1200 node --test"

# Adds up the tests of a .tap file, line by line: a file whose runner was ended has no sums.
count_tap() {
  local tap="$results/$1.tap" tap_failed tap_skipped
  touch "$tap"
  lines() { grep -c -E "$1" "$tap" || true; }
  tap_skipped=$(lines '^ok .*# SKIP')
  tap_failed=$(lines '^not ok ')
  [ "$status" = 0 ] || [ "$tap_failed" -gt 0 ] || tap_failed=1
  passed=$((passed + $(lines '^ok ') - tap_skipped))
  failed=$((failed + tap_failed))
  skipped=$((skipped + tap_skipped))
}

# The dashboard's tests run on Node, in the Chromium of the system; their pictures are kept in artifacts/dashboard-screenshots.
if [ -z "${1:-}" ]; then
  say "dashboard"
  status=0
  (cd tests/dashboard && PUSHQUEUE_TEST_CHROMIUM=$(command -v chromium) $runner --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$results/dashboard.tap" *.test.mjs) || status=$?
  count_tap dashboard
fi

# The JavaScript client's tests run on Node and in the Chromium of the system, against the server that was built above; its examples, too.
if [ -z "${1:-}" ]; then
  say "client-js tests"
  status=0
  (cd client-js && PUSHQUEUE_TEST_CHROMIUM=$(command -v chromium) $runner --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$results/client-js.tap" test/*.test.mjs) || status=$?
  count_tap client-js
fi

say "the slowest classes"
python3 tests/list-slowest.py "$results"

# The failed tests once more at the end, where readers of a long log look first.
[ "$failed" = 0 ] || { say "what failed"; python3 tests/list-failures.py "$results"/*.trx "$results"/*.tap; }

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
