#!/usr/bin/env bash
# One hour of mixed traffic at a slow pace, with cut connections and restarts, judged by the history checker. Prints a table with the size of the
# server's process at each minute; fails on a broken promise and on growth. Builds into a copy, so that later builds do not disturb it.
#   bench/soak.sh [--minutes N] [--stretches N] [--out FILE]     default: 60 minutes, 3 processes of 20 minutes each
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=60 stretches=3 out=
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes=$2; shift 2 ;;
    --stretches) stretches=$2; shift 2 ;;
    --out) out=$(realpath "$2"); shift 2 ;;
    *) sed -n '2,4p' "$0"; exit 2 ;;
  esac
done

root=${PUSHQUEUE_BENCH_FOLDER:-artifacts/bench}
mkdir -p "$root"
work=$(cd "$root" && pwd)/$(basename "$(mktemp -d "$root/soak-XXXXXX")")
trap 'rm -rf "$work"' EXIT

dotnet build tests/PushQueue.SystemTests -c Release -v quiet -nologo >&2
mkdir -p "$work/bin" "$work/tmp"
cp -r artifacts/bin/PushQueue.SystemTests artifacts/bin/PushQueue.Server "$work/bin/"

status=0
TMPDIR=$work/tmp PUSHQUEUE_TEST_SOAK_MINUTES=$minutes PUSHQUEUE_TEST_SOAK_STRETCHES=$stretches PUSHQUEUE_TEST_SOAK_SAMPLES=${out:-$work/samples.md} \
  dotnet "$work/bin/PushQueue.SystemTests/release/PushQueue.SystemTests.dll" -trait Category=Soak -explicit only -showLiveOutput >&2 || status=$?
[ -n "$out" ] || cat "$work/samples.md"
exit "$status"
