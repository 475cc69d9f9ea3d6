# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as one thing: its parts, and when one of its hosts is as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.lab import _build, _image, _settled
from tests.lab._control_plane import ControlPlane
from tests.lab._guest import Guest
from tests.lab._image import GuestImage
from tests.lab._join import approve_serving
from tests.lab._kubectl import Kubectl
from tests.lab._model import Host, LabError, Paths
from tests.lab._shell import wait_for, write

T = TypeVar("T")


@dataclass(frozen=True)
class Lab:
    """A lab with everything it is made of."""

    paths: Paths
    image: GuestImage
    control_plane: ControlPlane

    @property
    def kubectl(self) -> Kubectl:
        """A client with every right."""
        return self.control_plane.kubectl

    def guest(self, host: Host) -> Guest:
        """A worker, from inside."""
        return Guest(self.paths, host)

    def missing(self, host: Host, since: float) -> str:
        """What keeps this host from being done, in words; empty when nothing does."""
        return _settled.missing(self.kubectl.list("nodes,leases,pods"), host.name, since)

    def wait_settled(self, host: Host, since: float, seconds: float) -> None:
        """Wait until this host is joined, Ready with a fresh Lease, and its Pods run."""
        reasons = ["nobody asked"]

        def settled() -> bool:
            try:
                approve_serving(self.kubectl, host)
                reasons[0] = self.missing(host, since)
            except LabError as error:
                reasons[0] = str(error)
            return not reasons[0]

        try:
            wait_for(host.name, settled, seconds, pause=1)
        except LabError as error:
            raise LabError(f"{error}: {reasons[0]}") from error


def build_lab(paths: Paths) -> Lab:
    """The lab with its parts built, or found in the cache; remembers which they are."""
    programs, etcd = _build.programs(paths.cache), _build.etcd(paths.cache)
    image = _image.guest(paths)
    parts = {"programs": str(programs), "etcd": str(etcd), "image": str(image.directory)}
    write(paths.parts, json.dumps(parts))
    return Lab(paths, image, ControlPlane(paths, programs, etcd))


def open_lab(paths: Paths) -> Lab:
    """The lab that exists, whatever this checkout would make it of."""
    if not paths.parts.exists():
        raise LabError("there is no lab: make lab-up")
    parts = json.loads(paths.parts.read_text(encoding="utf-8"))
    control_plane = ControlPlane(paths, Path(parts["programs"]), Path(parts["etcd"]))
    return Lab(paths, GuestImage(Path(parts["image"])), control_plane)


def at_once(work: Callable[[Host], T], hosts: Sequence[Host]) -> list[T]:
    """The same work on all hosts at once, and what came of it; a failure is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        running = [pool.submit(work, host) for host in hosts]
    return [ended.result() for ended in running]
