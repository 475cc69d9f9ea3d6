# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node looks like, place by place, and which places a step changes. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import change as kinds
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.change import Change

# Below these every file is looked at.
BACKUP: t.Final = "/var/lib/outward-kubelet/backup"
TREES: t.Final = ("/etc", "/var/lib/kubelet", "/var/lib/cni", "/usr/local", "/usr/lib/cni", "/opt/cni", BACKUP)
# What changes by itself on a node that is ill, or whose kubelet or containerd is started: looked at only where a step
# changes it.
RESTLESS: t.Final = re.compile(
    r"file /var/lib/outward-kubelet|file /var/lib/cni|file /var/lib/kubelet/(?:pods|plugins|plugins_registry|device-plugins|\w+_state|cpu_\w+|memory_\w+)\b"
    r"|module |active |link (?:veth|cni)|chains |file /etc/(?:adjtime|resolv\.conf)$"
)


@dataclass(frozen=True)
class Fingerprint:
    """Place -> what is there; and the containers that have a living process."""

    places: t.Mapping[str, str]
    containers: frozenset[str]


def fingerprint(text: str) -> Fingerprint:
    """What looker.py printed."""
    data = json.loads(text)
    return Fingerprint(data["places"], frozenset(data["containers"]))


def _file(change: t.Any) -> Iterator[str]:
    yield f"file {change.path}"


def _units(change: kinds.Unit | kinds.Disabled) -> Iterator[str]:
    for name in change.names:
        yield from (f"enabled {name}", f"active {name}")


def _hostname(change: kinds.Hostname) -> Iterator[str]:
    yield from ("hostname", "file /etc/hostname")


def _mounted(change: kinds.Mounted) -> Iterator[str]:
    yield from (f"mount {change.point}", f"active {change.unit}")


_PLACES: t.Final[dict[type, Callable[[t.Any], Iterator[str]]]] = {
    kinds.Unit: _units,
    kinds.Disabled: _units,
    kinds.Hostname: _hostname,
    kinds.Mounted: _mounted,
    kinds.Sysctl: lambda change: iter([f"sysctl {change.name}"]),
    kinds.Module: lambda change: iter([f"module {change.name}"]),
    kinds.SwapOff: lambda change: iter([f"swap {change.device}"]),
    kinds.Addresses: lambda change: iter([f"link {change.link}"]),
    kinds.Mtu: lambda change: iter([f"link {change.link}"]),
    kinds.ServiceChains: lambda change: iter([f"chains {change.kind}"]),
    kinds.Reservations: lambda change: iter([f"file {change.directory}"]),
    kinds.Remembered: lambda change: iter([f"file {change.directory}"]),
    kinds.Plugin: lambda change: iter([f"file /usr/lib/cni/{change.name}"]),
    kinds.Leftover: lambda change: iter([]),  # a process
    kinds.Space: lambda change: iter([]),  # what it deletes is not taken back
}


def places(changes: Sequence[Change]) -> tuple[str, ...]:
    """Where a step with these *changes* works: the places themselves, and what lies below them."""
    return tuple(dict.fromkeys(place for change in changes for place in _PLACES.get(type(change), _file)(change)))


def unwatched(wanted: Sequence[str]) -> list[str]:
    """The files of *wanted* that nobody looks at."""
    named = [place.removeprefix("file ") for place in wanted if place.startswith("file ")]
    return [path for path in named if not any(f"{path}/".startswith(f"{tree}/") for tree in TREES)]


def differences(before: Fingerprint, after: Fingerprint, wanted: Sequence[str]) -> dict[str, str]:
    """Place -> what was and what is there, where that is not the same, of *wanted* and of all that does not change by itself."""
    found = {}
    for place in sorted({*before.places, *after.places}):
        old, new = before.places.get(place, "nothing"), after.places.get(place, "nothing")
        if old != new and (_of(place, wanted) or not RESTLESS.match(place)):
            found[place] = f"{old}, then {new}"
    return found


def copied(place: str, before: Fingerprint, after: Fingerprint) -> bool:
    """What was at *place* is in the backup, content, mode and owner; also when there was nothing, or it is no file."""
    path, was = place.removeprefix("file "), before.places.get(place)
    copies = [
        line for each, line in after.places.items() if re.fullmatch(rf"file {BACKUP}/[^/]+{re.escape(path)}", each)
    ]
    return was is None or not place.startswith("file ") or was in copies


def _of(place: str, wanted: Sequence[str]) -> bool:
    return any(place == each or place.startswith(f"{each}/") for each in wanted)
