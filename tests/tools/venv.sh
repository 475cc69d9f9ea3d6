#!/usr/bin/env bash
# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# venv.sh PYTHON VENV REQUIREMENTS: make or renew the environment, unless it was made from the same requirements.
set -euo pipefail

python=$1 venv=$2 requirements=$3
wanted=$(sha256sum "$requirements" | cut -d' ' -f1)

if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "venv: ansible-core 2.19 needs Python 3.11 to 3.13 and $python is $("$python" --version 2>&1);" \
        "name another one: make venv PYTHON=python3.13" >&2
    exit 1
}
echo "venv: making $venv with $("$python" --version)"
"$python" -m venv --clear "$venv" || {
    echo "venv: this Python cannot make one; on Debian: apt-get install python3-venv" >&2
    exit 1
}
echo "venv: installing $(grep -vc '^#' "$requirements") pinned packages (about half a minute)"
SECONDS=0
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
echo "$wanted" >"$venv/requirements.sha256"
touch "$venv/READY"
echo "venv: ready after $SECONDS s"
