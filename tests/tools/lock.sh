#!/usr/bin/env bash
# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# lock.sh PYTHON: resolve requirements/dev.in in a throw-away environment and write every version to dev.txt.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$1" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements/dev.in
{
    echo "# Made by \`make lock\` from dev.in; what developing and CI install."
    "$scratch/venv/bin/pip" freeze
} >"$scratch/dev.txt"
mv "$scratch/dev.txt" requirements/dev.txt
