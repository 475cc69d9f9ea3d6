#!/usr/bin/env bash
# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# `make demo`: break pi-04 in a way that a restart would not cure, then in a way that a start cures.
# The lab is up when this begins, and pi-04 is healthy again when it ends.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
host=pi-04
inventory=$(cd "$root" && python3 -m tests.lab paths | sed -n 's/^INVENTORY=//p')

say() { printf '\n# %s\n' "$*"; }
lab() { (cd "$root" && python3 -m tests.lab "$@"); }
faults() { (cd "$root" && python3 -m tests.faults "$@"); }

# What a person types, with the lab's inventory in place of their own, inside the lab's network.
play() {
    local status=0
    printf '\n$ cd examples/pi-cluster && ansible-playbook %s -l %s\n' "$1" "$host"
    (cd "$root/examples/pi-cluster" && PYTHONPATH="$root" ANSIBLE_COLLECTIONS_PATH="$root/.build" ANSIBLE_NOCOLOR=1 \
        python3 -m tests.lab exec -- "$root/.venv/bin/ansible-playbook" -i "$inventory" "$1" -l "$host") || status=$?
    printf '(exit status %s)\n' "$status"
}

# What the demo shows is kept, and the README quotes it.
mkdir -p "$root/docs/results"
exec > >(tee "$root/docs/results/demo.txt") 2>&1

finish() { status=$?; say "Putting $host back as it was"; lab reset "$host"; exit "$status"; }
trap finish EXIT

say "1. The client certificate of $host expires. Everybody would restart the kubelet; it would not help."
lab reset "$host"
faults inject kubelet-client-cert-expired "$host"
say "What is wrong, seen from the kubelet outward?"
play node-diagnose.yml
say "And what would a recovery do?"
play node-recover.yml

say "2. The kubelet of $host is stopped, and nobody starts it again."
lab reset "$host"
faults inject kubelet-stopped "$host"
play node-recover.yml
say "And once more, right afterwards: there is nothing to do."
play node-recover.yml
