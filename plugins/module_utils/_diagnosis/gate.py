# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The pre-restart gate: a running kubelet can hide faults that only a restart exposes.

Each rule yields the words it refuses with, and yields nothing when a restart is safe as far as it can see. What
a rule cannot tell refuses as well. A stopped kubelet is gated like a running one: to start is to restart.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .evidence import Undecided
from .node import Certificate, Filesystem, NodeEvidence, Unit
from .signs import clock_offset, clock_trusted, inotify_short, instant, running, size

T = t.TypeVar("T")
Rule = Callable[[NodeEvidence], Iterator[str]]

# What a start writes (checkpoints, a rotated certificate, the journal) is far below 1 MiB; the lab's kubelet
# started on 0 bytes, and then could not write its next certificate.
LEAST_BYTES: t.Final = 4 * 1024 * 1024
LEAST_INODES: t.Final = 64
CONTROLLERS: t.Final = ("cpu", "memory", "pids")
# failCgroupV1 is true by default from 1.35 on.
NO_CGROUP_V1: t.Final = 35


@dataclass(frozen=True)
class Refusal:
    """One rule of a gate that says no."""

    rule: str
    words: str
    doubt: bool = False  # it could not tell


def refusals(node: NodeEvidence) -> tuple[Refusal, ...]:
    """Why the kubelet of this node must not be restarted or started now; empty: nothing speaks against it."""
    return ask(node, KUBELET_RULES)


def runtime_refusals(node: NodeEvidence) -> tuple[Refusal, ...]:
    """Why the container runtime of this node must not be started now."""
    return ask(node, _RUNTIME_RULES)


def ask(about: T, rules: tuple[Callable[[T], Iterator[str]], ...]) -> tuple[Refusal, ...]:
    """What these rules refuse with; what one cannot tell refuses as well."""
    found: list[Refusal] = []
    for rule in rules:
        name = rule.__name__.replace("_", "-")
        try:
            found += [Refusal(name, words) for words in dict.fromkeys(rule(about))]
        except Undecided as doubt:
            subject = " ".join((rule.__doc__ or "").split()).rstrip(".")
            found.append(Refusal(name, f"cannot tell whether {subject}: {doubt}", True))
    return tuple(found)


# A rule's docstring is what must hold, as it reads after "cannot tell whether".


def kubelet_unit(node: NodeEvidence) -> Iterator[str]:
    """the kubelet's unit can be started."""
    yield from _unit_problems(node.kubelet.unit)
    if not node.kubelet.binary.exists:
        yield f"{node.kubelet.binary.path} is not there"


def kubelet_config(node: NodeEvidence) -> Iterator[str]:
    """the kubelet's configuration can be read."""
    config = node.kubelet.config
    if not config.file.exists:
        yield f"{config.file.path} is not there: the kubelet would exit"
    elif config.problem is not None:
        yield f"{config.file.path} is no configuration ({config.problem}): the kubelet would exit"


def kubelet_flags(node: NodeEvidence) -> Iterator[str]:
    """the installed kubelet knows all of its flags."""
    for setting in node.kubelet.config.unknown_flags:
        yield f"{setting.file} has {setting.flag}, which the installed kubelet does not know: it would exit"


def kubeconfig(node: NodeEvidence) -> Iterator[str]:
    """the kubelet has a kubeconfig."""
    certificates = node.certificates
    config = certificates.kubeconfig
    if config.file.exists and config.problem is not None:
        yield f"{config.file.path} cannot be used ({config.problem})"
    if not config.file.exists and not certificates.bootstrap_kubeconfig.exists:
        yield f"neither {config.file.path} nor {certificates.bootstrap_kubeconfig.path} is there"


def client_certificate(node: NodeEvidence) -> Iterator[str]:
    """the kubelet has a valid client certificate."""
    certificates = node.certificates
    if not certificates.kubeconfig.file.exists and certificates.bootstrap_kubeconfig.exists:
        return  # it will ask for its first certificate
    if certificates.client_problem is not None:
        yield f"{certificates.client_file.path} holds no certificate ({certificates.client_problem})"
    elif certificates.client is None:
        yield f"the client certificate {certificates.client_file.path} is not there: a restart would need it"
    else:
        yield from _validity(node, certificates.client)


def client_ca(node: NodeEvidence) -> Iterator[str]:
    """the file of clientCAFile is there."""
    file = node.certificates.client_ca_file
    if file is not None and not file.exists:
        yield f"clientCAFile {file.path} is not there: the kubelet would exit"


def swap(node: NodeEvidence) -> Iterator[str]:
    """swap is off, or allowed."""
    devices = node.pressure.swap_devices
    if devices and node.kubelet.config.fail_swap_on:
        yield f"swap is on ({', '.join(devices)}) and failSwapOn is true: the kubelet would exit"


def cgroups(node: NodeEvidence) -> Iterator[str]:
    """the control groups are as the kubelet needs them."""
    if node.kernel.cgroup_version == 1:
        if _minor(node.kubelet.version) >= NO_CGROUP_V1:
            yield f"the host runs on cgroup v1, which kubelet {node.kubelet.version} refuses"
        return
    missing = [name for name in CONTROLLERS if name not in node.kernel.cgroup_controllers]
    if missing:
        yield f"cgroup controllers are missing: {', '.join(missing)}"


def cgroup_driver(node: NodeEvidence) -> Iterator[str]:
    """the cgroup driver is that of the running Pods."""
    configured = node.kubelet.config.cgroup_driver
    others = [driver for driver in node.kernel.pod_cgroup_drivers if driver != configured]
    if others:
        yield (
            f"running Pods are in cgroups of the driver {', '.join(others)} and the kubelet is configured for "
            f"{configured}: a restart would kill them"
        )


def cri(node: NodeEvidence) -> Iterator[str]:
    """the container runtime answers."""
    answer = node.runtime.cri
    if answer.outcome != "ok":
        yield f"the container runtime does not answer ({answer.outcome}: {answer.detail}): the kubelet would exit"
    elif not answer.runtime_ready:
        yield f"the container runtime is not ready ({answer.runtime_message})"


def inotify(node: NodeEvidence) -> Iterator[str]:
    """there are inotify instances left."""
    if inotify_short(node):
        used, most = node.pressure.inotify_instances, node.pressure.inotify_max_instances
        yield f"{used} of {most} inotify instances are in use: the kubelet would not get its own"


def writable(node: NodeEvidence) -> Iterator[str]:
    """the root and the kubelet's directory can be written to."""
    yield from _filesystem_problems(node.pressure.rootfs, node.pressure.nodefs)
    if not node.storage.overlay_root:
        for filesystem in node.storage.read_only:
            yield f"{filesystem.mount_point} is mounted read-only"


def upkeep(node: NodeEvidence) -> Iterator[str]:
    """nobody is at work on the node's software."""
    for working in node.kernel.upkeep:
        yield f"at work on the node: {working}; what it installs may be there by half"


def data_mounts(node: NodeEvidence) -> Iterator[str]:
    """every mount of /etc/fstab is there."""
    for mount_point in node.storage.fstab_missing:
        yield f"{mount_point} is in /etc/fstab and not mounted: what is written now would be hidden later"


def network_mounts(node: NodeEvidence) -> Iterator[str]:
    """every network mount answers."""
    for mount in node.storage.network_mounts:
        if not mount.answers:
            yield f"{mount.mount_point} ({mount.kind} of {mount.device}) does not answer: the kubelet would hang on it"


def kubelet_killable(node: NodeEvidence) -> Iterator[str]:
    """the kubelet can be stopped."""
    unit = node.kubelet.unit
    blocked = [task for task in node.kernel.blocked_tasks if re.match(rf"kubelet \(|.*\({unit.main_pid}\)", task)]
    if blocked or unit.process_state == "D":
        yield f"the kubelet is blocked in the kernel ({', '.join(blocked) or 'state D'}) and cannot be stopped"


def api(node: NodeEvidence) -> Iterator[str]:
    """the API server answers this node."""
    answer = node.network.api
    if answer.outcome != "ok":
        status = f" with status {answer.status}" if answer.status is not None else ""
        yield (
            f"{answer.server} does not answer this node{status} ({answer.outcome}: {answer.detail}): "
            "a restarted kubelet could not register"
        )


def runtime_unit(node: NodeEvidence) -> Iterator[str]:
    """the runtime's unit is down and can be started."""
    unit = node.runtime.unit
    yield from _unit_problems(unit)
    if node.profile.runtime_unit == node.profile.unit:
        yield f"{unit.name} holds the kubelet as well (profile {node.profile.name}): it is not the runtime's alone"
    if running(unit):
        yield f"{unit.name} is running: it is not merely down"


def runtime_writable(node: NodeEvidence) -> Iterator[str]:
    """the runtime's directory can be written to."""
    yield from _filesystem_problems(node.pressure.rootfs, node.pressure.imagefs)


KUBELET_RULES: t.Final[tuple[Rule, ...]] = (
    kubelet_unit,
    kubelet_config,
    kubelet_flags,
    kubeconfig,
    client_certificate,
    client_ca,
    swap,
    cgroups,
    cgroup_driver,
    cri,
    inotify,
    writable,
    data_mounts,
    network_mounts,
    upkeep,
    kubelet_killable,
    api,
)
_RUNTIME_RULES: t.Final[tuple[Rule, ...]] = (runtime_unit, runtime_writable, data_mounts, upkeep)


def _unit_problems(unit: Unit) -> Iterator[str]:
    if unit.load_state == "masked":
        yield f"{unit.name} is masked: somebody does not want it to run"
    elif unit.load_state != "loaded":
        yield f"systemd cannot load {unit.name} ({unit.load_state})"


def _validity(node: NodeEvidence, certificate: Certificate) -> Iterator[str]:
    """Nothing is said about dates by a clock that is wrong."""
    if certificate.key_matches is False:
        yield f"the key of {certificate.path} does not belong to its certificate"
    if not clock_trusted(node):
        yield f"the clock is not to be trusted ({clock_doubt(node)}), so no certificate can be judged by it"
    elif certificate.not_after <= node.clock.now:
        yield f"the client certificate expired {instant(certificate.not_after)}: a restart cannot renew it"
    elif certificate.not_before > node.clock.now:
        yield f"the client certificate is not valid before {instant(certificate.not_before)}"


def clock_doubt(node: NodeEvidence) -> str:
    """Why the clock is not to be trusted."""
    offset = clock_offset(node)
    return "not synchronised" if offset is None else f"{offset:+.0f} s from the API server's"


def _filesystem_problems(*filesystems: Filesystem) -> Iterator[str]:
    """A filesystem that counts no inodes (btrfs) has inodes 0."""
    for filesystem in filesystems:
        where = filesystem.mount_point
        if filesystem.read_only:
            yield f"{where} is mounted read-only"
        if filesystem.available < LEAST_BYTES:
            yield f"{where} is full: {size(filesystem.available)} left"
        if filesystem.inodes and filesystem.inodes_free < LEAST_INODES:
            yield f"{where} has {filesystem.inodes_free} inodes left"


def _minor(version: str | None) -> int:
    """The 37 of "v1.37.2"; a version that is not readable counts as newest."""
    match = re.match(r"v?1\.(\d+)", version or "")
    return int(match.group(1)) if match else 999
