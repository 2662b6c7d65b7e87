#!/usr/bin/env bash
# Builds everything in Release, runs PushQueue and the installed peers through the scenarios in turns, prints the table.
#   bench/run.sh [--quick] [--runs N] [--only NAME,NAME] [--out docs/BENCHMARKS.md]
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ "${1:-}" == "-h" || "${1:-}" == "--help" ]]; then
  sed -n '2,3p' "$0"
  exit 0
fi

# On the repository's disk by default: /tmp may be memory, where flushing to disk costs nothing and every durability looks the same.
root=${PUSHQUEUE_BENCH_FOLDER:-artifacts/bench}
mkdir -p "$root"
work=$(cd "$root" && pwd)/$(basename "$(mktemp -d "$root/run-XXXXXX")")
chmod 755 "$work" # nginx works as another user when it is started by root

finish() {
  # Normally all servers have ended by now. This is for a harness that was killed: only pids it wrote down, and only where the
  # process still works in this run's folder, so that a number used again by somebody else is left alone.
  local pid
  while read -r pid; do
    if [[ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" == "$work"* ]]; then
      kill "$pid" 2>/dev/null || true
      for _ in {1..50}; do [[ -e /proc/$pid ]] || break; sleep 0.1; done
      [[ ! -e /proc/$pid ]] || kill -9 "$pid" 2>/dev/null || true
    fi
  done < <(cat "$work/pids" 2>/dev/null || true)
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

dotnet build server/PushQueue.Server -c Release -v quiet -nologo >&2
dotnet build bench/PushQueue.Load -c Release -v quiet -nologo >&2

load=artifacts/bin/PushQueue.Load/release/PushQueue.Load.dll
dotnet "$load" selfcheck
dotnet "$load" suite --server artifacts/bin/PushQueue.Server/release/PushQueue.Server.dll --peers bench/peers --work "$work" "$@"
