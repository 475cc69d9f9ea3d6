# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers that every injected script may use, so that a fault stays a few lines."""

from __future__ import annotations

import typing as t

# `keep FILE..` saves what is about to be broken, `back` puts all of it back (and removes what was not there).
# The copies lie in /run: they survive a full disk and a read-only root, though not a boot.
NODE: t.Final = r"""
set -eu
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
KEPT=/run/outward-fault
PKI=/var/lib/kubelet/pki
CONFIG=/var/lib/kubelet/config.yaml
FLAGS=/var/lib/kubelet/kubeadm-flags.env
KUBECONFIG=/etc/kubernetes/kubelet.conf
CONTAINERD=/etc/containerd/config.toml
keep() {
  mkdir -p "$KEPT"
  for file; do
    copy="$KEPT/$(echo "$file" | tr / '|')"
    if [ -e "$copy" ] || [ -L "$copy" ] || [ -e "$copy.absent" ]; then continue; fi
    if [ -e "$file" ] || [ -L "$file" ]; then cp -a "$file" "$copy"; else : > "$copy.absent"; fi
  done
}
back() {
  for copy in "$KEPT"/*; do
    if [ ! -e "$copy" ] && [ ! -L "$copy" ]; then continue; fi
    file="$(basename "$copy" .absent | tr '|' /)"
    rm -rf "$file"
    case "$copy" in *.absent) ;; *) mv "$copy" "$file" ;; esac
  done
  rm -rf "$KEPT"
}
setting() { keep "$CONFIG"; sed -i "/^$1:/d" "$CONFIG"; printf '%b\n' "$1: $2" >> "$CONFIG"; }
restart() { systemctl reset-failed "$@" 2>/dev/null || true; systemctl restart "$@" || true; }
said() { journalctl -b -q --no-pager -o cat -n 400 ${3:--u "$1"} | sed 's/\\*"/"/g' | grep -qE "$2"; }
# Of the process that runs now: the lab's snapshot can hold a line of one before it.
says() { said "$1" "$2" "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID "$1")"; }
substate() { systemctl show -P SubState "$1"; }
pid() { systemctl show -P MainPID "$1"; }
state() { sed 's/.*) \(.\).*/\1/' "/proc/$(pid "$1")/stat"; }
newest_log() { ls -t /var/log/pods/default_outward-fault*/app/0.log | head -1; }
healthz() {
  python3 -c 'import urllib.request as r; r.urlopen("http://127.0.0.1:10248/healthz", timeout=5)' 2>/dev/null
}
"""

# The controller is inside the lab's network; $HOST, $PYTHON and $LAB (its state directory) are set.
CONTROLLER: t.Final = r"""
set -eu
export LC_ALL=C
POD="outward-fault-$HOST"
lab() { "$PYTHON" -m tests.lab "$@"; }
kubectl() { lab kubectl "$@"; }
certificate() { "$PYTHON" -m tests.faults.certificate "$LAB/pki" "$@"; }
workers() { lab status | awk '$1 ~ /^pi-/ && $2 ~ /^[0-9]+$/ {print $1}'; }
another() { workers | grep -vx "$HOST" | head -1; }
on() { host="$1"; shift; ssh -F "$LAB/ssh_config" "$host" "$@"; }
all() { for worker in $(workers); do [ "$(HOST=$worker; condition Ready)" = "$1" ] || return 1; done; }
onto() { ssh -F "$LAB/ssh_config" "$HOST" "sh -c 'umask 077; cat > $1'"; }
condition() {
  kubectl get node "$HOST" -o "jsonpath={.status.conditions[?(@.type=='$1')].status}"
}
"""
