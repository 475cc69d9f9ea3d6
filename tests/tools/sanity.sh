#!/usr/bin/env bash
# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# sanity.sh [ARGUMENTS FOR ansible-test sanity]: run it over a copy of what git knows, without an ignore file.
#
# A copy, because ansible-test wants to stand in a real ansible_collections/NAMESPACE/NAME directory and follows links.
# A home of its own, because ansible-test keeps environments and the bootstrap of pip there; that bootstrap is a
# download from a site of Ansible's, so get_pip.py is laid in its place. Every test runs that has something to look at;
# without effect are only: pslint (no PowerShell here), and shellcheck where that program is not installed.
set -euo pipefail

root=$PWD
copy=$root/.build/sanity/ansible_collections/outward/kubelet
home=${XDG_CACHE_HOME:-$HOME/.cache}/outward-kubelet/ansible-test

rm -rf "$root/.build/sanity"
mkdir -p "$copy" "$home/.ansible/test/cache"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
    tar --null --files-from=- --create | tar --extract --directory "$copy"
git -C "$copy" init --quiet
# ansible-core 2.19 asks for pip 24.2 by this name.
cp tests/tools/get_pip.py "$home/.ansible/test/cache/get_pip_24_2.py"

# Pythons that node code is compiled and imported with, where they are; pyenv's shims only pretend to have them.
path=$root/.venv/bin:/usr/local/bin:/usr/bin:/bin
for python in "$HOME"/.pyenv/versions/3.{9,13}.*/bin; do
    [ -d "$python" ] && path=$path:$python
done

cd "$copy"
exec env -u PYTHONPATH -u ANSIBLE_COLLECTIONS_PATH -u ANSIBLE_HOME HOME="$home" PATH="$path" PIP_CACHE_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/pip" \
    LC_ALL=C.UTF-8 ansible-test sanity --color no "$@"
