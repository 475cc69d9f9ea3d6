# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the container runtime."""

from __future__ import annotations

import typing as t

from .model import Fault, awaited, controller, node
from .pods import GONE, IMAGE, event, pod
from .pressure import CACHE, SOON, alone_again, beside_packages, own_filesystem, shared_again

MEND: t.Final = node("back; restart containerd")


NO_RUNTIME: t.Final = (
    'printf \'\\n[plugins."io.containerd.grpc.v1.cri".containerd]\\ndefault_runtime_name = "nope"\\n\' >> $CONTAINERD'
)


def config(id: str, script: str, holds: str, **more: t.Any) -> Fault:
    """containerd is started again on another configuration."""
    fields: dict[str, t.Any] = {"outcome": "needs-operator", **more}
    return Fault(
        id=id,
        inject=(node(f"keep $CONTAINERD; {script}; restart containerd"),),
        holds=node(holds),
        undo=(MEND,),
        **fields,
    )


def binary(id: str, path: str, says: str) -> Fault:
    """A program that containerd runs for every Pod is gone; the node stays Ready."""
    return Fault(
        id=id,
        inject=(node(f"mv {path} {path}.outward"), pod()),
        holds=event(says),
        undo=(node(f"mv {path}.outward {path}"), GONE),
        outcome="needs-operator",
        deadline=120,
    )


# No container may be left: each has an overlay for its root.
NO_OVERLAY: t.Final = (
    "systemctl stop kubelet containerd; echo 1 > /sys/fs/cgroup/kubepods.slice/cgroup.kill\n"
    "pkill -9 -f containerd-shim-runc-v2 || true; sleep 2; umount -a -t overlay\n"
    "echo 'install overlay /bin/false' > /etc/modprobe.d/outward.conf; modprobe -r overlay\n"
    "systemctl start --no-block containerd kubelet"
)
OVERLAY_FAILS: t.Final = node(
    "! grep -qw overlay /proc/filesystems && said containerd 'failed to mount rootfs component: no such device'"
)
OVERLAY_AGAIN: t.Final = node("rm /etc/modprobe.d/outward.conf; modprobe overlay; restart containerd kubelet")


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="containerd-down",
        inject=(node("systemctl stop containerd"),),
        holds=node("[ $(systemctl show -P ActiveState containerd) = inactive ]"),
        undo=(node("systemctl start containerd"),),
        outcome="recovered",
        actions=("start-containerd",),
        note="the kubelet recovers by itself",
    ),
    Fault(
        id="containerd-hung",
        inject=(node("systemctl kill -s STOP --kill-whom=main containerd"),),
        holds=node("[ $(state containerd) = T ]"),
        undo=(node("systemctl kill -s CONT --kill-whom=main containerd"),),
        outcome="recovered",
        actions=("kill-containerd",),
        note="SIGSTOP: it accepts and never answers",
    ),
    Fault(
        id="kubelet-pleg-unhealthy",
        roots=("containerd-hung",),
        kind="compound",
        inject=(node("systemctl kill -s STOP --kill-whom=main containerd"),),
        holds=node("said kubelet 'PLEG is not healthy'"),
        undo=(node("systemctl kill -s CONT --kill-whom=main containerd"),),
        outcome="recovered",
        actions=("kill-containerd",),
        deadline=360,
        note="PLEG is three minutes behind; the verdict stays on the runtime",
    ),
    config(
        "containerd-config-invalid",
        "echo '[[broken' >> $CONTAINERD",
        "[ $(substate containerd) = auto-restart ] && said containerd 'failed to load TOML|toml: '",
        outcome="refused",
        note="there is no copy that could be put in its place",
    ),
    config(
        "containerd-config-invalid-with-copy",
        "keep $CONTAINERD.bak; cp -a $CONTAINERD $CONTAINERD.bak; echo '[[broken' >> $CONTAINERD",
        "[ $(substate containerd) = auto-restart ] && said containerd 'failed to load TOML|toml: '",
        roots=("containerd-config-invalid",),
        outcome="recovered",
        actions=("restore-containerd-config",),
        note="what an editor or a careful person leaves beside it",
    ),
    config(
        "containerd-config-version",
        "sed -i 's/^version = .*/version = 99/' $CONTAINERD",
        "[ $(substate containerd) = auto-restart ]",
        roots=("containerd-config-invalid",),
        outcome="refused",
    ),
    config(
        "containerd-cri-disabled",
        "sed -i '/^version/a disabled_plugins = [\"io.containerd.grpc.v1.cri\"]' $CONTAINERD",
        "[ $(substate containerd) = running ] && said kubelet 'unknown service runtime.v1.RuntimeService'",
        outcome="recovered",
        actions=("enable-cri",),
    ),
    config(
        "containerd-cri-plugin-load-failed",
        NO_RUNTIME,
        "[ $(substate containerd) = running ] && said containerd 'failed to load plugin.*cri'",
        outcome="refused",
    ),
    config(
        "containerd-cri-plugin-load-failed-with-copy",
        f"keep $CONTAINERD.bak; cp -a $CONTAINERD $CONTAINERD.bak; {NO_RUNTIME}",
        "[ $(substate containerd) = running ] && said containerd 'failed to load plugin.*cri'",
        roots=("containerd-cri-plugin-load-failed",),
        outcome="recovered",
        actions=("restore-containerd-config",),
    ),
    Fault(
        id="containerd-socket-permission",
        inject=(node("mv /run/containerd/containerd.sock /run/containerd/outward.sock"),),
        holds=node("[ $(substate containerd) = running ] && [ ! -e /run/containerd/containerd.sock ]"),
        undo=(node("mv /run/containerd/outward.sock /run/containerd/containerd.sock"),),
        outcome="recovered",
        actions=("restart-containerd",),
        note="containerd runs, and its socket is not where it should be",
    ),
    Fault(
        id="containerd-sandbox-image-missing",
        inject=(
            node(
                "keep $CONTAINERD; sed -i 's#sandbox_image = .*#sandbox_image = \"127.0.0.1:1/pause:0\"#' $CONTAINERD; restart containerd"
            ),
            pod(),
        ),
        holds=event("127.0.0.1:1/pause:0"),
        undo=(MEND, GONE),
        outcome="recovered",
        actions=("set-pause-image",),
        deadline=180,
    ),
    binary("containerd-runc-missing", "/usr/sbin/runc", "runc"),
    binary("containerd-shim-binary-missing", "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2"),
    Fault(
        id="containerd-cni-dir-removed",
        inject=(node("mv /etc/cni/net.d /etc/cni/net.d.outward"),),
        holds=controller('[ "$(condition Ready)" != True ]'),
        undo=(node("mv /etc/cni/net.d.outward /etc/cni/net.d; restart containerd"),),
        outcome="recovered",
        actions=("restore-cni-directory",),
        deadline=120,
    ),
    Fault(
        id="containerd-metadata-db-corrupt",
        inject=(
            node(
                "meta=/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db\n"
                "systemctl stop kubelet containerd; cp $meta /var/lib/outward-meta.db\n"
                "dd if=/dev/urandom of=$meta bs=4096 count=4 conv=notrunc; systemctl start --no-block containerd kubelet"
            ),
        ),
        holds=node("said containerd 'invalid database|metadata'"),
        undo=(
            node(
                "systemctl stop kubelet containerd\n"
                "mv /var/lib/outward-meta.db /var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db\n"
                "restart containerd kubelet"
            ),
        ),
        outcome="needs-operator",
    ),
    Fault(
        id="containerd-shim-hung",
        inject=(
            pod(),
            controller("kubectl wait --for=condition=Ready pod/$POD --timeout=90s"),
            node(
                "sandbox=$(grep -lsa outward-fault /run/containerd/io.containerd.runtime.v2.task/k8s.io/*/config.json | head -1)\n"
                'pkill -STOP -f "containerd-shim-runc-v2 .*-id $(basename $(dirname $sandbox))"'
            ),
            controller("kubectl delete pod $POD --wait=false"),
        ),
        holds=node("said kubelet '(StopPodSandbox|StopContainer|KillPodSandbox|KillContainer).*DeadlineExceeded'"),
        undo=(node("pkill -CONT -f containerd-shim-runc-v2"),),
        outcome="needs-operator",
        deadline=300,
    ),
    Fault(
        id="containerd-overlay-unsupported",
        inject=(node(NO_OVERLAY),),
        holds=OVERLAY_FAILS,
        undo=(OVERLAY_AGAIN,),
        outcome="refused",
        deadline=120,
        note="as after an upgrade of the kernel that took the modules of the running one away; modprobe.d forbids it here",
    ),
    Fault(
        id="containerd-overlay-not-loaded",
        roots=("containerd-overlay-unsupported",),
        # A blacklisted module is not loaded by the mount that wants it (modprobe.d(5)), and by its name it is.
        inject=(
            node(NO_OVERLAY),
            awaited(OVERLAY_FAILS),
            node("echo 'blacklist overlay' > /etc/modprobe.d/outward.conf"),
        ),
        holds=OVERLAY_FAILS,
        undo=(OVERLAY_AGAIN,),
        outcome="recovered",
        actions=("load-overlay",),
        deadline=120,
        note="it could not be loaded when containerd started, and now it can: the package of the modules is there again",
    ),
    Fault(
        id="containerd-disk-full",
        inject=(
            node(
                f"{own_filesystem('/var/lib/containerd', 'containerd kubelet', '-m 0')}\n"
                "fallocate -l 1G /var/lib/containerd/outward-fill || true\n"
                "cat /dev/zero > /var/lib/containerd/outward-fill.rest || true"
            ),
        ),
        holds=node("[ $(df -B1 --output=avail /var/lib/containerd | tail -1) -lt 1048576 ]"),
        undo=(node(shared_again("/var/lib/containerd", "containerd kubelet")),),
        outcome="refused",
        deadline=120,
        note="images on a filesystem of their own, and nothing of it left",
    ),
    Fault(
        id="containerd-disk-full-package-cache",
        roots=("containerd-disk-full",),
        inject=(
            node(
                f"{SOON}\n{own_filesystem('/var/lib/containerd', 'containerd kubelet', '-m 0')}\n"
                f"{beside_packages('/var/lib/containerd')}\n"
                f"cat /dev/zero > {CACHE}/outward_1_all.deb || true"
            ),
        ),
        holds=node("[ $(df -B1 --output=avail /var/lib/containerd | tail -1) -lt 1048576 ]"),
        undo=(node(alone_again("/var/lib/containerd", "containerd kubelet")),),
        outcome="recovered",
        actions=("free-disk-space",),
        deadline=120,
        note="images and the package cache on one data disk, not a byte is left, and what nobody misses fills it",
    ),
    Fault(
        id="containerd-snapshot-corrupt",
        inject=(
            node(
                "cat > /run/outward-config.py <<'PROGRAM'\n"
                "import json, pathlib, subprocess\n"
                "blobs = pathlib.Path('/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256')\n"
                "images = subprocess.run(['ctr', '-n', 'k8s.io', 'images', 'ls'], capture_output=True, text=True).stdout\n"
                f"line = next(line for line in images.splitlines() if line.split()[0].endswith('{IMAGE}'))\n"
                "found = line.split()[2]\n"
                "while True:\n"
                "    document = json.loads((blobs / found[7:]).read_text())\n"
                "    if 'config' in document:\n"
                "        break\n"
                "    found = document['manifests'][0]['digest']\n"
                "print(blobs / document['config']['digest'][7:])\n"
                "PROGRAM\n"
                "blob=$(python3 /run/outward-config.py); echo $blob > /run/outward-blob; mv $blob $blob.outward"
            ),
            pod(),
        ),
        holds=event("blob sha256:[0-9a-f]+ expected at .*: blob not found"),
        undo=(node("blob=$(cat /run/outward-blob); mv $blob.outward $blob"), GONE),
        outcome="needs-operator",
        deadline=120,
        note="a blob of an image that is used is gone; its name is still in the database",
    ),
)
