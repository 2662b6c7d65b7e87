#!/usr/bin/env bash
# Re-creates wwwroot/vendor from npm: the dashboard's two libraries, as published, with their licences and a list of what is there.
# To move to another version change it here, run this, and look at the difference.
set -euo pipefail
cd "$(dirname "$0")/.."

vendor=wwwroot/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# NAME VERSION: unpacks the package into $work/package.
fetch() {
  rm -rf "$work/package"
  (cd "$work" && npm pack --silent "$1@$2" >"$work/name" && tar -xzf "$(cat "$work/name")")
}

entry() {
  printf '  { "file": "%s", "package": "%s", "version": "%s", "licence": "MIT", "sha256": "%s" }' \
    "$1" "$2" "$3" "$(sha256sum "$vendor/$1" | cut -d' ' -f1)"
}

signalr=10.0.11
uplot=1.6.32
rm -rf "$vendor"
mkdir -p "$vendor"

fetch @microsoft/signalr "$signalr"
# The line that names a map is all that is left out: the map is not vendored.
grep -v '^//# sourceMappingURL=' "$work/package/dist/browser/signalr.min.js" >"$vendor/signalr.min.js"
# The package holds no licence file of its own; its package.json says MIT, and this is the text of its repository.
grep -q '"license": *"MIT"' "$work/package/package.json"
cat >"$vendor/signalr.LICENSE.txt" <<'LICENCE'
The MIT License (MIT)

Copyright (c) .NET Foundation and Contributors

All rights reserved.

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
LICENCE

fetch uplot "$uplot"
cp "$work/package/dist/uPlot.esm.js" "$work/package/dist/uPlot.min.css" "$vendor/"
cp "$work/package/LICENSE" "$vendor/uPlot.LICENSE.txt"

{
  echo '['
  entry signalr.min.js @microsoft/signalr "$signalr"; echo ,
  entry uPlot.esm.js uplot "$uplot"; echo ,
  entry uPlot.min.css uplot "$uplot"; echo
  echo ']'
} >"$vendor/versions.json"
