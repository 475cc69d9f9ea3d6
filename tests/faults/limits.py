# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of counted resources: processes, handles, watches, connections, and what the kubelet does not watch."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node, program
from .pods import GONE, pod
from .pressure import CACHE, own_filesystem

CACHED: t.Final = f"{CACHE}/outward_1_all.deb"


def ballast(path: str) -> str:
    """An eighth of the disk is left, and no threshold of imagefs: Pods would be evicted at 15 % at the same time."""
    return (
        "setting evictionHard '{memory.available: 100Mi, nodefs.available: 10%}'; restart kubelet\n"
        f"set -- $(df -B1 --output=size,avail / | tail -1)\nfallocate -l $(($2 - $1 / 8)) {path}"
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kernel-oom-system",
        # An eater that takes everything makes the kernel read the same pages for minutes before it kills (neither ssh
        # nor we get through): so it leaves some, and the kernel is told that this was the last (SysRq f).
        inject=(
            node(program("eater.py", "150", "-p OOMScoreAdjust=1000")),
            node(
                "for each in $(seq 60); do\n"
                "    [ $(awk '/MemAvailable/ {print $2}' /proc/meminfo) -lt 184320 ] && break\n"
                "    sleep 1\n"
                "done\n"
                "echo f > /proc/sysrq-trigger"
            ),
        ),
        holds=node("journalctl -b -k -q --no-pager | grep -q 'Out of memory: Killed process'"),
        undo=(node("systemctl stop outward-eater; systemctl reset-failed outward-eater || true"),),
        outcome="needs-operator",
    ),
    Fault(
        id="inotify-exhaustion",
        inject=(
            node(
                "sysctl -n fs.inotify.max_user_instances > /run/outward-inotify\n"
                # The limit is root's: descriptors of other users count against their own, shared ones count once.
                "used=$(find /proc/[0-9]*/fd -user root -lname anon_inode:inotify 2>/dev/null | wc -l)\n"
                "sysctl -w fs.inotify.max_user_instances=$(($used - 4))"
            ),
        ),
        holds=node("! python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).inotify_init() < 0)'"),
        undo=(node("sysctl -w fs.inotify.max_user_instances=$(cat /run/outward-inotify)"),),
        outcome="recovered",
        actions=("raise-inotify-limits",),
        note="the kubelet runs on, and would not come back",
    ),
    Fault(
        id="pid-exhaustion",
        inject=(
            node(
                f"{program('crowd.py', 'threads 1000', '-p TasksMax=infinity')}\nsleep 10\n"
                "sysctl -n kernel.threads-max > /run/outward-threads\n"
                # Some dozens are left, for ssh and for us.
                "sysctl -w kernel.threads-max=$(($(cut -d/ -f2 /proc/loadavg | cut -d' ' -f1) + 60))"
            ),
        ),
        holds=node(
            "[ $(cut -d/ -f2 /proc/loadavg | cut -d' ' -f1) -gt $(($(sysctl -n kernel.threads-max) * 9 / 10)) ]"
        ),
        undo=(node("sysctl -w kernel.threads-max=$(cat /run/outward-threads); systemctl stop outward-crowd"),),
        outcome="needs-operator",
        note="to the last one neither ssh nor the kubelet gets another (seen in the lab)",
    ),
    Fault(
        id="conntrack-exhaustion",
        inject=(
            node(
                f"{program('crowd.py', 'connections 600', '-p LimitNOFILE=4096')}\nsleep 10\n"
                "sysctl -n net.netfilter.nf_conntrack_max > /run/outward-sysctl\n"
                # A few are left: ssh is a connection too.
                "sysctl -w net.netfilter.nf_conntrack_max=$(($(sysctl -n net.netfilter.nf_conntrack_count) + 20))"
            ),
        ),
        holds=node(
            "used=$(sysctl -n net.netfilter.nf_conntrack_count)\n"
            "[ $used -gt 500 ] && [ $((used * 100)) -ge $(($(sysctl -n net.netfilter.nf_conntrack_max) * 95)) ]"
        ),
        undo=(
            node("sysctl -w net.netfilter.nf_conntrack_max=$(cat /run/outward-sysctl); systemctl stop outward-crowd"),
        ),
        outcome="recovered",
        actions=("raise-conntrack-limit",),
    ),
    Fault(
        id="file-handle-exhaustion",
        inject=(
            node(
                "sysctl -n fs.file-max > /run/outward-files\n"
                # root may open more than that, all others may not.
                "sysctl -w fs.file-max=$(($(cut -f1 /proc/sys/fs/file-nr) + 20))"
            ),
        ),
        holds=node("[ $(cut -f3 /proc/sys/fs/file-nr) -lt 100000 ]"),
        undo=(node("sysctl -w fs.file-max=$(cat /run/outward-files)"),),
        outcome="recovered",
        actions=("raise-file-limit",),
    ),
    Fault(
        id="eviction-thresholds-disabled",
        inject=(
            node(
                "setting evictionHard '{memory.available: 50Mi}'; restart kubelet\n"
                "set -- $(df -B1 --output=size,avail / | tail -1)\nfallocate -l $(($2 - $1 / 20)) /var/lib/outward-fill"
            ),
        ),
        holds=node("healthz && grep -q 50Mi $CONFIG && [ -e /var/lib/outward-fill ]"),
        undo=(node("rm -f /var/lib/outward-fill; back; restart kubelet"),),
        outcome="refused",
        note="one key set by hand drops the defaults of the others: 5 % of the disk is left, and no condition is set",
    ),
    Fault(
        id="eviction-thresholds-disabled-package-cache",
        roots=("eviction-thresholds-disabled",),
        inject=(
            node(
                "setting evictionHard '{memory.available: 50Mi}'; restart kubelet; mkdir -p /var/cache/apt/archives\n"
                "set -- $(df -B1 --output=size,avail / | tail -1)\n"
                "fallocate -l $(($2 - $1 / 20)) /var/cache/apt/archives/outward_1_all.deb"
            ),
        ),
        holds=node("healthz && grep -q 50Mi $CONFIG && [ -e /var/cache/apt/archives/outward_1_all.deb ]"),
        undo=(node("rm -f /var/cache/apt/archives/outward_1_all.deb; back; restart kubelet"),),
        outcome="recovered",
        actions=("restore-eviction-thresholds", "restart-kubelet"),
        note="what nobody misses fills the disk, and nobody watches it",
    ),
    Fault(
        id="cpu-starvation",
        inject=(
            node(
                # Who logs in is let in, and is as heavy as all services together: else nothing of ours would be answered.
                "systemctl set-property --runtime ssh.service CPUWeight=10000\n"
                "for spin in 1 2 3 4; do\n"
                "  systemd-run --unit=outward-spin-$spin -p CPUWeight=10000 sh -c 'while :; do :; done'\ndone"
            ),
        ),
        holds=node("! healthz"),
        undo=(
            node(
                "systemctl stop 'outward-spin-*'; rm -rf /run/systemd/system.control/ssh.service.d; systemctl daemon-reload"
            ),
        ),
        outcome="needs-operator",
        deadline=120,
        note="services a hundred times as heavy as the kubelet, and nothing reserved for it",
    ),
    Fault(
        id="journald-growth",
        inject=(
            node(
                f"{own_filesystem('/var/log', 'systemd-journald', '-m 0')}\n"
                "mkdir -p /etc/systemd/journald.conf.d\n"
                "printf '[Journal]\\nSystemMaxUse=4G\\nSystemKeepFree=1M\\nRateLimitBurst=0\\n' "
                "> /etc/systemd/journald.conf.d/zz-outward.conf\n"
                "systemctl restart systemd-journald; journalctl --flush\n"
                # What cannot be compressed.
                "python3 -c 'import os\nfor i in range(2500): print(os.urandom(20000).hex())' | systemd-cat -t outward\n"
                "set -- $(df -B1 --output=size,avail /var/log | tail -1)\n"
                "head -c $(($2 - $1 / 8)) /dev/zero > /var/log/outward-fill"  # busybox makes ext2, which has no fallocate
            ),
        ),
        holds=node("[ $(du -sm /var/log/journal | cut -f1) -gt 50 ] && [ -e /var/log/outward-fill ]"),
        undo=(controller('lab reset "$HOST"'),),
        outcome="recovered",
        actions=("vacuum-journal",),
        deadline=240,
        note="the logs on a small filesystem of their own",
    ),
    Fault(
        id="container-log-growth",
        inject=(
            pod(),
            controller("kubectl wait --for=condition=Ready pod/$POD --timeout=120s"),
            node(
                # What a burst leaves until rotation compresses it; and the rest of a disk that fills up.
                "set -- $(df -B1 --output=size,avail / | tail -1)\n"
                "fallocate -l $(($1 / 5)) $(newest_log).20261123-150000\n"
                "set -- $(df -B1 --output=size,avail / | tail -1)\n"
                "[ $2 -lt $(($1 / 6)) ] || fallocate -l $(($2 - $1 / 6)) /var/lib/outward-fill"
            ),
        ),
        holds=node("[ $(du -sm /var/log/pods | cut -f1) -gt 200 ]"),
        undo=(node("rm -f /var/lib/outward-fill"), GONE),
        outcome="recovered",
        actions=("shorten-container-logs",),
        deadline=60,
        note="a fifth of the disk in the logs of one container; a sixth left, which is above all eviction thresholds",
    ),
    Fault(
        id="image-gc-failing",
        inject=(node(ballast("/var/lib/outward-fill")),),
        holds=node("says kubelet 'Image garbage collection failed multiple times in a row'"),
        undo=(node("rm -f /var/lib/outward-fill; back; restart kubelet"),),
        outcome="refused",
        deadline=900,
        note="an eighth of the disk left: above the eviction threshold, below the one of image collection (each 5 min)",
    ),
    Fault(
        id="image-gc-failing-package-cache",
        roots=("image-gc-failing",),
        inject=(node(f"mkdir -p {CACHE}\n{ballast(CACHED)}"),),
        holds=node("says kubelet 'Image garbage collection failed multiple times in a row'"),
        undo=(node(f"rm -f {CACHED}; back; restart kubelet"),),
        outcome="recovered",
        actions=("free-space-beside-images",),
        deadline=900,
        note="what nobody misses fills it",
    ),
)
