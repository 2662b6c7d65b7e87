#!/usr/bin/env bash
# Records the public names of the packages, which PublicSurfaceTests compares, in tests/PushQueue.Tests/PublicSurface. Review the difference.
set -euo pipefail
cd "$(dirname "$0")/.."
PUSHQUEUE_RECORD_SURFACE=1 dotnet test tests/PushQueue.Tests --nologo --filter "FullyQualifiedName~PublicSurfaceTests" "$@"
git status --short tests/PushQueue.Tests/PublicSurface
