#!/usr/bin/env bash
# A tour of the API by curl: put, take, listen, lease and ack. It leaves nothing behind.
#   ./tour.sh [SERVER]
set -euo pipefail

server=${1:-http://127.0.0.1:8080}
queue="tour-$$"
ask() { curl -sS --fail-with-body "$@"; }
say() { printf '\n# %s\n' "$*"; }
heard=$(mktemp)
trap 'rm -f "$heard"; curl -sS -X DELETE "$server/q/$queue" || true' EXIT

say "put two, take one"
ask -d value=hello "$server/q/$queue"; echo
ask -H 'Content-Type: application/json' -d '{"order":7}' "$server/q/$queue?id=order-7"; echo
ask "$server/q/$queue"; echo

say "lease the other, and ack it by its receipt"
lease=$(ask "$server/q/$queue/batch?count=1&ttr=30")
echo "$lease"
receipt=$(sed 's/.*"receipt":"\([0-9a-f]*\)".*/\1/' <<<"$lease")
ask -X POST "$server/q/$queue/messages/order-7/ack?receipt=$receipt"
echo "acked"

say "a batch, and what waits"
printf '"a"\n"b"\n"c"\n' | ask --data-binary @- -H 'Content-Type: application/x-ndjson' "$server/q/$queue/batch"; echo
ask "$server/q/$queue/messages"; echo

say "listen: three messages, a line each; the stream ends with the queue"
curl -sSN "$server/c/$queue" >"$heard" &
until [ "$(grep -c '"id"' "$heard")" -ge 3 ]; do sleep 0.1; done
ask -X DELETE "$server/q/$queue"
wait
cat "$heard"
