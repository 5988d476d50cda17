#!/usr/bin/env bash
# The peers of foveola's benchmarks: runs peers.py with the arguments given, in the environment of venv.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$("$here/venv.sh" "$here/requirements.txt")
exec "$python" "$here/peers.py" "$@"
