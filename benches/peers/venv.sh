#!/usr/bin/env bash
# Makes the virtual environment of the peers, installs what is listed in a file, and prints the path of its Python:
# `venv.sh REQUIREMENTS`. FOVEOLA_PEERS_VENV: where the environment is (.venv beside this file); FOVEOLA_PEERS_WITHOUT: a
# package of the list to leave out, such as torch.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${FOVEOLA_PEERS_VENV:-$here/.venv}
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)

[ -x "$venv/bin/python" ] || python3 -m venv "$venv" >&2
while read -r requirement; do
    requirement=${requirement%%#*}
    if [ -z "$requirement" ]; then
        continue
    elif [ -n "${FOVEOLA_PEERS_WITHOUT:-}" ] && [[ $requirement == "$FOVEOLA_PEERS_WITHOUT"* ]]; then
        echo "left out as asked: $requirement" >&2
    else # a package that cannot be had costs its own rows only; the programs say so
        "${pip[@]}" "$requirement" </dev/null >&2 || echo "could not be installed: $requirement" >&2
    fi
done <"$1"
echo "$venv/bin/python"
