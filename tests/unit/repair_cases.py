# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each repair with a node that has its cause: what it finds there, what it does, and what taking it back does."""

from __future__ import annotations

import base64
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    File,
    Firewall,
    Journal,
    LogLine,
    Setting,
)
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded
from tests.unit.helpers_repair import SHOW, Fake, log
from tests.unit.plugins.module_utils._host.probes.pki import Authority
from tests.unit.plugins.module_utils._host.probes.place import kubeconfig

LOOP = {
    "kubelet__unit__sub_state": "auto-restart",
    "kubelet__unit__active_state": "activating",
    "kubelet__unit__restarts": 3,
}
KUBELET, CONTAINERD, TIMESYNCD = "kubelet.service", "containerd.service", "systemd-timesyncd.service"
UNITS = {f"/usr/lib/systemd/system/{name}": "[Unit]\n" for name in (KUBELET, CONTAINERD, TIMESYNCD)}
FORBIDDEN = {"modprobe --show-depends overlay": "insmod /lib/modules/6.12.48/kernel/fs/overlayfs/overlay.ko\n"}
SUBNET_FULL = log("failed to allocate for range 0: no IP addresses available in range set: 10.0.0.1-10.0.0.254")
NETWORK = {
    "/etc/cni/net.d/10-lab.conflist": '{"name": "lab", "plugins": [{"type": "bridge", "bridge": "cni0"}, {"type": "portmap"}]}'
}
STALE = log('"cni0" already has an IP address different from 10.244.3.1/24')
OVERLAY = log(
    "overlay is not supported: modprobe: no such device; io.containerd.snapshotter.v1.overlayfs no such device"
)


CONFIG, FLAGS, DEFAULTS = "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet"
GATE = log("failed to set feature gates from initial flags-based config: unrecognized feature gate: OldGate")
NO_PAUSE = log('failed to get sandbox image "none.test/pause:0": failed to pull image "none.test/pause:0": not found')
UNREADY = {"runtime__cri__network_ready": False, "runtime__cri__network_message": "cni plugin not initialized"}
LAB = NETWORK["/etc/cni/net.d/10-lab.conflist"]
# As libcni 1.2 writes it (recorded shape: kind, containerId, config, ifName, networkName, result).
CACHE = {
    "/var/lib/cni/results/lab-0123-eth0": json.dumps(
        {
            "kind": "cniCacheV1",
            "containerId": "0123",
            "config": base64.b64encode(LAB.encode()).decode(),
            "ifName": "eth0",
        }
    ),
    "/var/lib/cni/results/cni-loopback-0123-lo": json.dumps(
        {
            "kind": "cniCacheV1",
            "config": base64.b64encode(b'{"name": "cni-loopback", "plugins": [{"type": "loopback"}]}').decode(),
        }
    ),
}
THIS, OTHER = (base64.b64encode(text.encode()).decode() for text in (LAB, LAB.replace("lab", "x17")))
PLUGINS = {"/usr/lib/cni/bridge": "", "/usr/lib/cni/portmap": "", "/opt/cni/bin/bridge": ""}


DOWN = {
    "runtime__unit__active_state": "activating",
    "runtime__unit__sub_state": "auto-restart",
    "runtime__cri__outcome": "no-socket",
    "runtime__cri__detail": "no such file",
}


def flags(*unknown: str) -> dict[str, t.Any]:
    settings = tuple(Setting(flag, FLAGS) for flag in unknown)
    return {"kubelet__config__flags": settings, "kubelet__config__unknown_flags": settings}


@dataclass
class Case:
    """``files`` and ``said`` of the node, what it does to them (``after``, ``commands``), and what taking it back does."""

    cause: str
    broken: dict[str, t.Any]
    files: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    after: dict[str, str | None] = field(default_factory=dict)
    back: tuple[str, ...] = ()  # commands that take it back


def checkpoint(name: str, file: str, line: str) -> Case:
    path = f"/var/lib/kubelet/{file}"
    said = {"kubelet__journal": log(line), **LOOP}
    return Case(f"kubelet-{name}-checkpoint", said, {path: "broken"}, after={path: None})


def setting(cause: str, topic: str, broken: dict[str, t.Any], **values: tuple[str, str]) -> Case:
    named = {name.replace("__", "."): pair for name, pair in values.items()}
    files = {f"/proc/sys/{name.replace('.', '/')}": f"{old}\n" for name, (old, dummy) in named.items()}
    after: dict[str, str | None] = {
        f"/proc/sys/{name.replace('.', '/')}": f"{new}\n" for name, (dummy, new) in named.items()
    }
    text = "".join(f"{name} = {new}\n" for name, (dummy, new) in named.items())
    after[f"/etc/sysctl.d/99-zz-outward-{topic}.conf"] = f"# written by outward.kubelet\n{text}"
    return Case(cause, broken, files, after=after)


TOML = "/etc/containerd/config.toml"
DUMP = "containerd --config"


def from_copy(cause: str, broken: dict[str, t.Any], text: str) -> Case:
    """containerd's configuration is *text*, and a copy that containerd reads lies beside it."""
    copy = "SystemdCgroup = true\n"
    return Case(
        cause,
        broken,
        {**UNITS, TOML: text, f"{TOML}.bak": copy},
        {DUMP: f"    {copy}"},
        commands=(f"systemctl restart {CONTAINERD}",),
        after={TOML: copy},
        back=(f"systemctl --no-block restart {CONTAINERD}",),
    )


INOTIFY = {"fs__inotify__max_user_instances": ("128", "1024"), "fs__inotify__max_user_watches": ("8192", "524288")}
CONNTRACK = {"net.netfilter.nf_conntrack_count": "9900", "net.netfilter.nf_conntrack_max": "10000"}
TIME: dict[str, t.Any] = {
    "files": UNITS,
    "said": {f"{SHOW} UnitFileState {TIMESYNCD}": "disabled\n", f"{SHOW} ActiveState {TIMESYNCD}": "inactive\n"},
    "commands": (f"systemctl enable {TIMESYNCD}", f"systemctl start {TIMESYNCD}"),
    "back": (f"systemctl disable {TIMESYNCD}", f"systemctl stop {TIMESYNCD}"),
}
CASES = [
    Case(
        "data-mount-missing",
        {"storage__fstab_missing": ("/var/lib/containerd",), **DOWN},
        {"/dev/sda1": "", "/proc/self/mountinfo": "21 1 8:2 / / rw - ext4 /dev/sda2 rw\n"},
        {"findmnt": "/dev/sda1\n"},
        commands=("mount /var/lib/containerd", "systemctl start containerd.service"),
        back=("systemctl stop containerd.service", "umount /var/lib/containerd"),
    ),
    Case(
        "kubelet-swap-on",
        {"pressure__swap_devices": ("/swapfile",)},
        {
            "/proc/swaps": "Filename Type\n/swapfile file\n",
            "/etc/fstab": "/dev/vda / ext4\n/swapfile none swap sw 0 0\n",
            "/usr/lib/systemd/system/dphys-swapfile.service": "[Unit]\n",
        },
        {f"{SHOW} UnitFileState dphys-swapfile.service": "enabled\n"},
        commands=("swapoff /swapfile", "systemctl disable dphys-swapfile.service"),
        after={
            "/etc/fstab": "/dev/vda / ext4\n# outward.kubelet: the kubelet refuses swap: /swapfile none swap sw 0 0\n"
        },
        back=("swapon /swapfile", "systemctl enable dphys-swapfile.service"),
    ),
    checkpoint(
        "cpu-manager", "cpu_manager_state", "could not initialize checkpoint manager: CPU manager checkpoint file"
    ),
    checkpoint("memory-manager", "memory_manager_state", "could not read the memory manager checkpoint file"),
    checkpoint("pod-state", "allocated_pods_state", "failed to create pod allocation checkpoint file"),
    Case(
        "containerd-socket-permission",
        {"runtime__cri__outcome": "no-socket"},
        UNITS,
        commands=(f"systemctl restart {CONTAINERD}",),
    ),
    Case(
        "containerd-cri-disabled",
        {"runtime__cri__outcome": "unimplemented", "runtime__cri_disabled": True},
        {**UNITS, "/etc/containerd/config.toml": 'version = 2\ndisabled_plugins = ["x", "cri"]\n'},
        commands=(f"systemctl restart {CONTAINERD}",),
        after={"/etc/containerd/config.toml": 'version = 2\ndisabled_plugins = ["x", ]\n'},
        back=(f"systemctl --no-block restart {CONTAINERD}",),
    ),
    Case(
        "containerd-overlay-unsupported",
        {"runtime__journal": OVERLAY, "kernel__modules": {"overlay": False}},
        UNITS,
        FORBIDDEN,
        commands=("modprobe overlay", f"systemctl restart {CONTAINERD}"),
        after={"/etc/modules-load.d/outward-overlay.conf": "# written by outward.kubelet\noverlay\n"},
        back=("modprobe -r overlay", f"systemctl --no-block restart {CONTAINERD}"),
    ),
    setting(
        "ip-forward-disabled",
        "ip-forward",
        {"kernel__sysctls": {"net.ipv4.ip_forward": "0"}},
        net__ipv4__ip_forward=("0", "1"),
    ),
    setting("inotify-exhaustion", "inotify", {"pressure__inotify_instances": 127}, **INOTIFY),
    setting(
        "file-handle-exhaustion",
        "files",
        {"kernel__sysctls": {"fs.file-nr": "9990\t0\t10000"}},
        **{"fs__file-max": ("10000", "1000000")},
    ),
    setting(
        "conntrack-exhaustion",
        "conntrack",
        {"kernel__sysctls": CONNTRACK},
        net__netfilter__nf_conntrack_max=("10000", "262144"),
    ),
    Case("clock-skew-past", {"network__api__offset": -600.0, "clock__service": None}, **TIME),
    Case("clock-skew-future", {"network__api__offset": 600.0, "clock__service": None}, **TIME),
    Case(
        "cni-ipam-exhausted",
        {"runtime__journal": SUBNET_FULL},
        {
            **NETWORK,
            "/var/lib/cni/networks/lab/10.0.0.2": "alive\r\neth0",
            "/var/lib/cni/networks/lab/10.0.0.3": "gone\r\neth0",
            "/var/lib/cni/networks/podman/10.88.0.2": "of-another-runtime",
        },
        answers={"ListPodSandbox": embedded(1, embedded(1, b"alive"))},
        after={"/var/lib/cni/networks/lab/10.0.0.3": None},
    ),
    Case(
        "cni-bridge-stale-address",
        {"runtime__journal": STALE},
        NETWORK,
        said={"ip -o -4 address show dev cni0": "4: cni0    inet 10.99.0.1/24 scope global cni0\n"},
        commands=("ip address del 10.99.0.1/24 dev cni0",),
        back=("ip address replace 10.99.0.1/24 dev cni0",),
    ),
]
CASES += [
    Case(
        "kubelet-unknown-flag",
        {**LOOP, "kubelet__journal": log("unknown flag: --container-runtime"), **flags("--container-runtime=remote")},
        {FLAGS: 'KUBELET_KUBEADM_ARGS="--container-runtime=remote --container-runtime-endpoint=x"\n'},
        after={FLAGS: 'KUBELET_KUBEADM_ARGS=" --container-runtime-endpoint=x"\n'},
    ),
    Case(
        "kubelet-feature-gate-invalid",
        {**LOOP, "kubelet__journal": GATE},
        {CONFIG: "a: 1\nfeatureGates:\n  NodeSwap: true\n  OldGate: true\n  OldGateToo: true\n"},
        after={CONFIG: "a: 1\nfeatureGates:\n  NodeSwap: true\n  OldGateToo: true\n"},
    ),
    Case(
        "kubelet-wrong-runtime-endpoint",
        {**LOOP, "kubelet__config__cri_socket_exists": False, "kubelet__config__cri_socket": "/run/none.sock"},
        {CONFIG: "a: 1\ncontainerRuntimeEndpoint: unix:///run/none.sock\nb: 2\n"},
        after={CONFIG: "a: 1\ncontainerRuntimeEndpoint: unix:///run/containerd/containerd.sock\nb: 2\n"},
    ),
    Case(
        "kubelet-node-ip-invalid",
        {"kubelet__config__flags": (Setting("--node-ip=10.77.0.14", FLAGS), Setting("--node-ip=192.0.2.7", DEFAULTS))},
        {FLAGS: 'KUBELET_KUBEADM_ARGS="--node-ip=10.77.0.14"\n', DEFAULTS: "KUBELET_EXTRA_ARGS=--node-ip=192.0.2.7\n"},
        after={DEFAULTS: "KUBELET_EXTRA_ARGS=\n"},
    ),
    Case(
        "kubelet-hostname-changed",
        {"identity__hostname": "renamed"},
        {"/proc/sys/kernel/hostname": "renamed\n"},
        commands=("hostnamectl set-hostname pi-04",),
        back=("hostnamectl set-hostname renamed",),
    ),
    Case(
        "kubelet-resolvconf-missing",
        {"kubelet__config__resolv_conf": File("/run/none", False, 0, None, None)},
        {
            CONFIG: "resolvConf: /run/none\n",
            "/etc/resolv.conf": "nameserver 127.0.0.53\n",
            "/run/systemd/resolve/resolv.conf": "nameserver 192.0.2.53\n",
        },
        after={CONFIG: "resolvConf: /run/systemd/resolve/resolv.conf\n"},
    ),
    Case(
        "kubelet-config-invalid",
        {**LOOP, "kubelet__config__problem": "no mapping of settings"},
        {CONFIG: "broken\n"},
        commands=("kubeadm upgrade node phase kubelet-config",),
    ),
    Case(
        "cni-config-missing",
        {"network__cni__configs": (), **UNREADY},
        {**CACHE, **PLUGINS},
        after={"/etc/cni/net.d/99-outward-lab.conflist": LAB},
    ),
    Case(
        "containerd-cni-dir-removed",
        {"network__cni__configs": (), "network__cni__config_dir__exists": False, **UNREADY},
        {**CACHE, **PLUGINS, **UNITS},
        commands=(f"systemctl restart {CONTAINERD}",),
        after={"/etc/cni/net.d/99-outward-lab.conflist": LAB},
        back=(f"systemctl --no-block restart {CONTAINERD}",),
    ),
    Case(
        "cni-config-invalid",
        {"network__cni__problem": "not JSON", **UNREADY},
        {"/etc/cni/net.d/10-lab.conflist": "{", **CACHE, **PLUGINS},
        after={"/etc/cni/net.d/10-lab.conflist": None, "/etc/cni/net.d/99-outward-lab.conflist": LAB},
    ),
    Case(
        "containerd-sandbox-image-missing",
        {"runtime__journal": NO_PAUSE},
        {**UNITS, "/etc/containerd/config.toml": '  sandbox_image = "none.test/pause:0"\n  sandboxer = "podsandbox"\n'},
        answers={"ListImages": embedded(1, embedded(1, b"sha256:1") + embedded(2, b"registry.k8s.io/pause:3.10"))},
        commands=(f"systemctl restart {CONTAINERD}",),
        after={
            "/etc/containerd/config.toml": '  sandbox_image = "registry.k8s.io/pause:3.10"\n  sandboxer = "podsandbox"\n'
        },
        back=(f"systemctl --no-block restart {CONTAINERD}",),
    ),
]
UID = "00000000-0000-4000-8000-00000000dead"
ORPHAN = f"/var/lib/kubelet/pods/{UID}"
MOUNTS = {"/proc/self/mountinfo": "1 0 254:1 / / rw - ext4 /dev/vda rw\n"}
GONE = Journal((LogLine(f'orphaned pod "{UID}" found, but failed to rmdir() volume', 9, 3000.0, 3590.0, True),), False)
KNOWN = embedded(1, embedded(1, b"s") + embedded(2, embedded(1, b"n") + embedded(2, UID.encode()) + embedded(3, b"d")))
CASES += [
    from_copy(
        "containerd-config-invalid",
        {**DOWN, "runtime__journal": log("failed to load TOML: toml: expected ]")},
        "[[broken",
    ),
    Case(
        "orphaned-pod-volumes",
        {"kubelet__journal": GONE},
        {f"{ORPHAN}/volumes/x/file": "data", **MOUNTS},
        answers={"ListPodSandbox": b""},
        after={f"{ORPHAN}/volumes/x/file": None},
    ),
]
CA = Authority()
OVERLAID = {"network__vxlans": ("flannel.1",), "network__links_up": ("eth0", "flannel.1")}
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
NO_CA = File("/etc/kubernetes/pki/ca.crt", False, 0, None, None)
CASES += [
    Case(
        "kubelet-reserved-cgroup-missing",
        {**LOOP, "kubelet__journal": log('Failed to enforce Kube Reserved Cgroup Limits on "/nope": no such file')},
        {CONFIG: "kubeReservedCgroup: /nope\n"},
        commands=("kubeadm upgrade node phase kubelet-config",),
    ),
    Case(
        "kubelet-client-ca-file-missing",
        {"certificates__client_ca_file": NO_CA},
        {KUBECONFIG: kubeconfig("https://10.77.0.1:6443", CA.certificate, "/x.pem")},
        after={NO_CA.path: CA.certificate},
    ),
    from_copy(
        "containerd-cri-plugin-load-failed",
        {
            "runtime__cri__outcome": "unimplemented",
            "runtime__journal": log("failed to load plugin id=io.containerd.grpc.v1.cri error=no such runtime"),
        },
        "[plugins]\n",
    ),
    Case(
        "mtu-mismatch",
        {**OVERLAID, "network__mtus": {"eth0": 1500, "flannel.1": 1500}},
        {"/sys/class/net/flannel.1/mtu": "1500\n"},
        commands=("ip link set dev flannel.1 mtu 1450",),
        back=("ip link set dev flannel.1 mtu 1500",),
    ),
    Case(
        "iptables-backend-mismatch",
        {"network__firewall": Firewall((), (), ("KUBE-IPTABLES-HINT", "KUBE-SERVICES"), ("KUBE-SERVICES",))},
        said={"iptables-legacy-save": "*nat\n:KUBE-SERVICES - [0:0]\n-A OUTPUT -j KUBE-SERVICES\nCOMMIT\n"},
        commands=("iptables-legacy-restore --noflush --wait=5 BACKUP/iptables-legacy.without",),
        back=("iptables-legacy-restore --noflush --wait=5 BACKUP/iptables-legacy.with",),
    ),
]
NO_BRIDGE = {"network__cni__missing_plugins": ("bridge",)}
DEBIANS = {TOML: '    bin_dir = "/usr/lib/cni"\n'}
CASES += [
    Case(
        "cni-binary-missing",
        NO_BRIDGE,
        {"/opt/cni/bin/bridge": "", **DEBIANS},
        after={"/usr/lib/cni/bridge": "-> /opt/cni/bin/bridge"},
    ),
]


def fake(case: Case, tmp_path: Path) -> Fake:
    return runnable(Fake(tmp_path, files=case.files, said=case.said, answers=case.answers))


def runnable(desk: Fake) -> Fake:
    """CNI's plugins can be executed."""
    for path in PLUGINS:
        if desk.read(path) is not None:
            Path(desk.path(path)).chmod(0o755)
    return desk
