# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which questions there are, in batches of those that need the same code.

The imports are inside the functions on purpose: they run in the child. Compiling the code of a probe takes longer
than asking it, so each process compiles only its own, side by side with the others.
"""

from __future__ import annotations

import typing as t
from functools import partial

from .._diagnosis.node import Profile
from .child import Ask, Batch, Question

MOST_MOUNTS: t.Final = 8
MOUNT_SECONDS: t.Final = 2.0
MOUNT: t.Final = "mount "
TIDY: t.Final = "sandbox-tidy"

Asks = dict[str, Ask]
Opener = t.Callable[[Profile], Asks]


def _systemd(place: Profile) -> Asks:
    from .probes import healthz, logs, units

    return {
        "units": partial(units.ask, place),
        "healthz": partial(healthz.ask, place),
        "kubelet-journal": partial(logs.unit, place.unit),
        "runtime-journal": partial(logs.unit, place.runtime_unit),
    }


def _runtime(place: Profile) -> Asks:
    from .probes import cri, runtime

    return {"runtime-files": partial(runtime.ask, place), "cri": partial(cri.ask, place)}


def _kubelet(place: Profile) -> Asks:
    from .probes import api, binary, certificates, kubelet

    return {
        "kubelet-files": partial(kubelet.ask, place),
        "certificates": partial(certificates.ask, place),
        "api": partial(api.ask, place),
        "kubelet-binary": partial(binary.ask, place),
    }


def _pressure(place: Profile) -> Asks:
    from .probes import pressure

    return {"pressure": partial(pressure.ask, place)}


def _host(place: Profile) -> Asks:
    from .probes import clock, kernel, network, storage

    return {
        "identity": kernel.identity,
        "clock": clock.ask,
        "storage": partial(storage.ask, place),
        "network": partial(network.ask, place),
        "kernel": kernel.ask,
        "board": clock.board,
    }


def _sandbox(place: Profile) -> Asks:
    from .probes import sandbox

    return {"sandbox": partial(sandbox.ask, place), TIDY: partial(sandbox.tidy, place)}


def _kernel(place: Profile) -> Asks:
    from .probes import firewall, logs, pod_logs, processes

    return {
        "kernel-log": logs.kernel,
        "processes": processes.ask,
        "firewall": firewall.ask,
        "pod-logs": pod_logs.exec_format,
        "boot-before": logs.boot_before,
    }


# Processes that run side by side (runner.WIDTH); each takes its batches one after the other: (opener, question -> seconds).
# What only reads /proc and /sys comes first: on a starved node it may be all that is answered, and it says what the node
# starves of. What may have to wait for a frozen kubelet, for the API server or for the runtime is not behind one another.
_PROCESSES: t.Final[tuple[tuple[tuple[Opener, dict[str, float]], ...], ...]] = (
    (
        (_pressure, {"pressure": 6.0}),  # its code is loaded already, but for one short file
        (_host, {"identity": 3.0, "clock": 3.0, "storage": 3.0, "network": 3.0, "kernel": 3.0, "board": 3.0}),
        (_runtime, {"runtime-files": 3.0, "cri": 7.0}),
    ),
    ((_kubelet, {"kubelet-files": 4.0, "certificates": 4.0, "api": 6.5, "kubelet-binary": 7.0}),),
    (
        (_systemd, {"units": 5.0, "healthz": 4.0, "kubelet-journal": 5.0, "runtime-journal": 5.0}),
        (_kernel, {"kernel-log": 3.0, "processes": 4.0, "firewall": 4.0, "pod-logs": 2.0, "boot-before": 4.0}),
    ),
    ((_sandbox, {"sandbox": 30.0, TIDY: 9.0}),),
)


def batches(place: Profile, wanted: t.AbstractSet[str]) -> list[Batch]:
    """The batches with the questions that are *wanted*, each with those that follow it; one with none is left out."""
    found = (_linked(place, process, wanted) for process in _PROCESSES)
    return [batch for batch in found if batch]


def _linked(
    place: Profile, process: t.Iterable[tuple[Opener, dict[str, float]]], wanted: t.AbstractSet[str]
) -> t.Optional[Batch]:
    linked: t.Optional[Batch] = None
    for opener, deadlines in reversed(tuple(process)):
        questions = tuple(Question(name, seconds) for name, seconds in deadlines.items() if name in wanted)
        linked = Batch(questions, partial(opener, place), linked) if questions else linked
    return linked


def mount_batches(mount_points: t.Iterable[str]) -> list[Batch]:
    """One process for each mount: whoever asks a dead server is lost."""
    return [
        Batch((Question(MOUNT + point, MOUNT_SECONDS),), partial(_mount, point))
        for point in list(mount_points)[:MOST_MOUNTS]
    ]


def _mount(point: str) -> Asks:
    from .probes import storage

    return {MOUNT + point: partial(storage.answers, point)}
