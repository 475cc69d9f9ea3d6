# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of counted resources: processes, handles, watches, connections, and what the kubelet does not watch."""

from __future__ import annotations

import typing as t

from .model import Fault, node, program
from .pod_network import sysctl

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kernel-oom-system",
        inject=(node(program("eater.py", "0", "-p OOMScoreAdjust=1000")),),
        holds=node("journalctl -b -k -q --no-pager | grep -q 'Out of memory: Killed process'"),
        undo=(node("systemctl stop outward-eater; systemctl reset-failed outward-eater || true"),),
        outcome="needs-operator",
        deadline=180,
    ),
    Fault(
        id="inotify-exhaustion",
        inject=(
            node(
                "sysctl -n fs.inotify.max_user_instances > /run/outward-inotify\n"
                "used=$(find /proc/[0-9]*/fd -lname anon_inode:inotify 2>/dev/null | wc -l)\n"
                "sysctl -w fs.inotify.max_user_instances=$used"
            ),
        ),
        holds=node("! python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).inotify_init() < 0)'"),
        undo=(node("sysctl -w fs.inotify.max_user_instances=$(cat /run/outward-inotify)"),),
        outcome="needs-operator",
        note="the kubelet runs on, and would not come back",
    ),
    sysctl("conntrack-exhaustion", "net.netfilter.nf_conntrack_max", 1),
    Fault(
        id="file-handle-exhaustion",
        inject=(
            node(
                "sysctl -n fs.file-max > /run/outward-files\n"
                "sysctl -w fs.file-max=$(($(cut -f1 /proc/sys/fs/file-nr) + 100))"
            ),
        ),
        holds=node("[ $(cut -f3 /proc/sys/fs/file-nr) -lt 100000 ]"),
        undo=(node("sysctl -w fs.file-max=$(cat /run/outward-files)"),),
        outcome="needs-operator",
    ),
    Fault(
        id="eviction-thresholds-disabled",
        inject=(node("setting evictionHard '{memory.available: 50Mi}'; restart kubelet"),),
        holds=node("healthz && grep -q 50Mi $CONFIG"),
        undo=(node("back; restart kubelet"),),
        outcome="needs-operator",
        note="one key set by hand drops the defaults of the others",
    ),
    Fault(
        id="cpu-starvation",
        inject=(
            node(
                "for cpu in 0 1; do systemd-run --unit=outward-spin-$cpu chrt -f 50 sh -c 'while :; do :; done'; done"
            ),
        ),
        holds=node("awk '/some/ {split($2, a, \"=\"); exit !(a[2] >= 50)}' /proc/pressure/cpu"),
        undo=(node("systemctl stop 'outward-spin-*'"),),
        outcome="needs-operator",
        deadline=120,
    ),
    Fault(
        id="journald-growth",
        inject=(
            node(
                "printf '[Journal]\\nSystemMaxUse=4G\\nRateLimitBurst=0\\n' > /etc/systemd/journald.conf.d/zz-outward.conf\n"
                "systemctl restart systemd-journald\n"
                "python3 -c 'for i in range(3000): print(i, \"x\" * 40000)' | systemd-cat -t outward"
            ),
        ),
        holds=node("[ $(du -sm /var/log/journal | cut -f1) -gt 100 ]"),
        undo=(
            node(
                "rm /etc/systemd/journald.conf.d/zz-outward.conf; systemctl restart systemd-journald\n"
                "journalctl --vacuum-size=32M"
            ),
        ),
        outcome="needs-operator",
        deadline=120,
    ),
)
