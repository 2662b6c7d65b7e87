#!/usr/bin/env bash
# Publishes the server as one file that needs no .NET on the machine it runs on.
#   packaging/publish.sh OUT [RUNTIME]     into the folder OUT, for linux-x64 or the runtime given
set -euo pipefail
out=${1:?give the folder to publish into}
runtime=${2:-linux-x64}
cd "$(dirname "$0")/.."
dotnet publish server/PushQueue.Server -c Release -r "$runtime" --self-contained --nologo -v quiet -o "$out" -p:PublishSingleFile=true -p:DebugType=none
