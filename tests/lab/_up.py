# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the lab up from wherever it is, and take it down from wherever it is."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.lab import _access, _cache, _network, _process, _reset, _tools, _vm, _workloads
from tests.lab._control_plane import kubeadm_config
from tests.lab._guest import Guest, write_access
from tests.lab._image import name as image_name
from tests.lab._join import join, script
from tests.lab._lab import Lab, at_once, build_lab
from tests.lab._model import Host, LabError, Paths, workers
from tests.lab._shell import say, step, wait_for, write

BOOT_SECONDS = 400
SETTLE_SECONDS = 240
# Others hold the lock by this file, and read the notices.
KEPT = ("lock", "NOTICE")


@dataclass(frozen=True)
class Report:
    """How long an up took."""

    started: float

    def text(self, hosts: Sequence[Host]) -> str:
        """For the READY file."""
        names = " ".join(host.name for host in hosts)
        return f"hosts={names}\nseconds={time.monotonic() - self.started:.0f}\n"


def recipe() -> str:
    """What a running cluster was made of; another recipe is another cluster."""
    host = workers(1)[0]
    parts = [image_name(), kubeadm_config(""), script(host, "", ""), repr(_workloads.objects()), repr(_vm.ACCELERATORS)]
    return _cache.digest(part.encode() for part in parts)


def _discard_other(paths: Paths) -> None:
    """A cluster of another recipe is of no use: take it away."""
    remembered = paths.state / "recipe"
    current = recipe()
    if remembered.exists() and remembered.read_text(encoding="ascii") != current:
        say("  the existing lab was made by another recipe: taking it away")
        purge(paths)
    write(remembered, current)


def _boot(lab: Lab, host: Host) -> None:
    """Wait for a freshly started guest and join it, unless an earlier run came that far."""
    guest = lab.guest(host)
    with step(f"{host.name}: boot"):
        wait_for(f"{host.name} answers over ssh", guest.answers, BOOT_SECONDS, pause=2)
    if not (guest.joined() and lab.kubectl.has_node(host.name)):
        with step(f"{host.name}: join"):
            lab.kubectl("delete", "node", host.name, "--ignore-not-found")
            join(guest, *lab.control_plane.join_token())


def _resume(lab: Lab, host: Host) -> bool:
    """Whether the host works again from its snapshot; a snapshot that never runs is taken away, and its node made new."""
    try:
        with step(f"{host.name}: resume from the snapshot"):
            _reset.resume(lab, host)
    except LabError as error:
        say(f"  {host.name}: {error}; making it anew")
        _vm.discard(lab.paths, host)
        _vm.start(lab.paths, lab.image, host)
        return False
    return True


def _bring_up(lab: Lab, host: Host, restored: bool) -> bool:
    """From a VM that was just started, or was found running, to a node that works; whether it needs a snapshot."""
    if restored and _resume(lab, host):
        return False
    since = time.time()
    _boot(lab, host)
    with step(f"{host.name}: Ready with its Pods"):
        lab.wait_settled(host, since, SETTLE_SECONDS)
    return True


def _wanted(paths: Paths, count: int) -> list[Host]:
    """The workers asked for, and those that are there already."""
    return sorted({*workers(count), *_vm.existing(paths)})


def is_up(lab: Lab, hosts: Sequence[Host]) -> bool:
    """Whether there is nothing to do: everything runs and every node is as it should be."""
    running = _process.table(lab.paths)
    parts = {*lab.control_plane.names, *(host.name for host in hosts)}
    return (
        parts <= running.keys()
        and lab.paths.baseline.exists()
        and all(_vm.has_snapshot(lab.paths, host) for host in hosts)
        and lab.kubectl.ready()
    )


def _assemble(lab: Lab, hosts: Sequence[Host]) -> None:
    """Network, machines, control plane, nodes, workloads, baseline; each step finds what is there."""
    _network.create()
    write_access(lab.paths, lab.image, list(hosts))
    restored = {host for host in hosts if _vm.has_snapshot(lab.paths, host)}
    with step(f"starting {' '.join(host.name for host in hosts)}"):
        started = {host for host in hosts if _vm.start(lab.paths, lab.image, host)}
    lab.control_plane.start()
    lab.kubectl.apply(_workloads.objects())
    todo = [host for host in hosts if host in started or host not in restored]
    made = at_once(lambda host: _bring_up(lab, host, host in restored), todo)
    fresh = [host for host, new in zip(todo, made, strict=True) if new]
    if fresh or not lab.paths.baseline.exists():
        with step("saving the baseline"):
            _reset.save(lab, fresh)


def up(paths: Paths, count: int) -> None:
    """Have the lab running with at least this many workers."""
    report = Report(time.monotonic())
    _tools.require()
    paths.state.mkdir(parents=True, exist_ok=True)
    paths.cache.mkdir(parents=True, exist_ok=True)
    _vm.require_room(paths)
    _discard_other(paths)
    lab, hosts = build_lab(paths), _wanted(paths, count)
    if not is_up(lab, hosts):
        (paths.state / "READY").unlink(missing_ok=True)
        _assemble(lab, hosts)
        write(paths.state / "READY", report.text(hosts))
    _access.grant(lab)
    say(f"the lab is up: {' '.join(host.name for host in hosts)}")


def down(paths: Paths) -> None:
    """End what runs; disks and snapshots stay, so that the next up takes seconds."""
    (paths.state / "READY").unlink(missing_ok=True)
    for host in _vm.existing(paths):
        if paths.ssh_config.exists() and _network.exists():
            Guest(paths, host).hang_up()
    _process.stop(paths, _process.table(paths))
    _network.delete()


def purge(paths: Paths) -> None:
    """Down, and forget the cluster; the cache stays."""
    down(paths)
    for path in paths.state.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in KEPT:
            path.unlink()
