# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What CNI's plugins keep on a node: addresses that are given out, and the Pods' bridge.

Only of the network that the container runtime is configured for: others (Podman's, nerdctl's) keep theirs beside it.
"""

from __future__ import annotations

import os
import re
import time
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import Addresses, Plugin, Remembered, Reservations
from ..._parse import cni
from ..._parse import cri as messages
from ..._parse.errors import ParseError
from ..files import names, read, read_or_none
from ..probes.network import configurations, directories
from .files import absent, keep, put_back, remove
from .tools import NotPossible, Op, Shown, Tools

# libcni keeps here what each Pod's network was made with, until it is taken down (libcni/api.go, CacheDir).
RESULTS: t.Final = "/var/lib/cni/results"
# Behind whatever the CNI's own agent writes, which wins when it comes back.
NAME: t.Final = "99-outward-{}.conflist"
# Where packages and agents put plugins: kubernetes-cni and flannel, Debian's containernetworking-plugins, Fedora's.
ELSEWHERE: t.Final = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")
# The runtime lists a sandbox only when its network is made, and the kubelet gives it 2 min for that (runtimeRequestTimeout).
SETTLED: t.Final = 300.0


def reservations(change: Reservations, tools: Tools) -> Iterator[Op]:
    """Those whose container the runtime does not know; a file's first line is the container's id (host-local)."""
    base = f"{change.directory}/{_configured(tools)[0].name}"
    place = tools.path(base)
    found = [name for name in names(place) if re.match(r"[0-9a-f.:]+$", name)]
    settled = [name for name in found if time.time() - os.lstat(f"{place}/{name}").st_mtime > SETTLED]
    known = {sandbox.id for sandbox in messages.sandboxes(tools.cri("ListPodSandbox"))}
    orphans = [name for name in settled if (read(f"{place}/{name}").split() or [""])[0] not in known]
    if not orphans:
        raise NotPossible(
            f"all {len(found)} reservations belong to a sandbox that is there or may be in the making: "
            "the Pod network is too small"
        )

    def do() -> None:
        for name in orphans:
            keep(tools, f"{base}/{name}")
            os.unlink(f"{place}/{name}")

    def undo() -> t.Optional[str]:
        given = [name for name in orphans if os.path.lexists(f"{place}/{name}")]
        for name in orphans:
            if name not in given:
                put_back(tools, f"{base}/{name}")
        return f"given to Pods meanwhile, whose they stay: {', '.join(given)}" if given else None

    words = f"releases {len(orphans)} of {len(found)} addresses below {base}"
    yield Op(words, Shown(base, "".join(f"{name}\n" for name in orphans), ""), do, undo)


def addresses(change: Addresses, tools: Tools) -> Iterator[Op]:
    """Those that are not the one that is *wanted*."""
    # A log line named it: whatever stands there, the host's own links are not touched.
    if change.link not in _configured(tools)[1]:
        raise NotPossible(f"{change.link} is no bridge of the CNI configuration")
    found = _held(change.link, tools)
    wrong = [address for address in found if address.partition("/")[0] != change.wanted]
    if not wrong:
        raise NotPossible(f"{change.link} has no other address than {change.wanted}")
    for address in wrong:
        yield _without(change.link, address, found, tools)


def remembered(change: Remembered, tools: Tools) -> Iterator[Op]:
    """In place: containerd 1.7 hears of a file that is written, and not of one that is moved there."""
    base = tools.path(RESULTS)
    paths = sorted((f"{base}/{name}" for name in names(base)), key=lambda path: os.lstat(path).st_mtime)
    found = [kept for kept in map(_cached, paths) if kept is not None]
    networks = sorted({kept.network.name for kept in found})
    if len(networks) != 1:
        raise NotPossible(
            f"the Pods that run were made with {', '.join(networks) or 'no network that libcni remembers'}: "
            "which configuration is right cannot be told"
        )
    missing = [name for name in found[-1].network.plugins if not _installed(name, tools)]
    if missing:
        raise NotPossible(f"the network {networks[0]} needs {', '.join(missing)}, which is not installed")
    path = f"{change.directory}/{NAME.format(networks[0])}"
    place, text = tools.path(path), found[-1].text
    made = absent(os.path.dirname(place))

    def do() -> None:
        os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
        with open(place, "x", encoding="utf-8") as file:
            file.write(text)

    def undo() -> None:
        os.unlink(place)
        remove(made)

    yield Op(f"writes {path}, which the newest Pod was made with", Shown(path, "", text), do, undo)


def plugin(change: Plugin, tools: Tools) -> Iterator[Op]:
    """A link, so that the program stays its package's to keep up to date; whether it runs here, the proof's sandbox shows."""
    places = _directories(tools)[1]
    path = f"{places[0]}/{change.name}"
    others = [f"{other}/{change.name}" for other in ELSEWHERE if other not in places]
    found = [other for other in others if os.access(tools.path(other), os.X_OK)]
    if os.path.lexists(tools.path(path)):
        raise NotPossible(f"{path} is there, and nobody can execute it: see what it is")
    if not found:
        raise NotPossible(f"this node has no {change.name} elsewhere either ({', '.join(others)}): install its package")
    made = absent(tools.path(places[0]))

    def do() -> None:
        os.makedirs(tools.path(places[0]), mode=0o755, exist_ok=True)
        os.symlink(found[0], tools.path(path))

    def undo() -> None:
        os.unlink(tools.path(path))
        remove(made)

    yield Op(f"links {path} to {found[0]}", Shown(path, "", f"-> {found[0]}\n"), do, undo)


def _cached(path: str) -> t.Optional[cni.Cached]:
    """None: that of the loopback, of a single plugin, or no such file."""
    try:
        return cni.cached(read(path))
    except (OSError, ParseError):
        return None


def _installed(name: str, tools: Tools) -> bool:
    places = _directories(tools)[1]
    return any(os.access(tools.path(f"{place}/{name}"), os.X_OK) for place in places)


def _directories(tools: Tools) -> tuple[str, tuple[str, ...]]:
    """Where the runtime looks for its configuration, and for plugins."""
    return directories(tools.profile, read_or_none(tools.path(tools.profile.runtime_config)) or "")


def _held(link: str, tools: Tools) -> list[str]:
    """Its addresses with their lengths (``ip -o``: index, link, family, address/length, ...)."""
    told = tools.ask("ip", "-o", "-4", "address", "show", "dev", link)
    return [line.split()[3] for line in told.splitlines() if len(line.split()) > 3]


def _without(link: str, address: str, before: list[str], tools: Tools) -> Op:
    def undo() -> t.Optional[str]:
        tools.run("ip", "address", "replace", address, "dev", link)
        new = [each for each in _held(link, tools) if each not in before]
        return f"{', '.join(new)} was given to {link} meanwhile, for Pods, and stays" if new else None

    shown = Shown(link, f"{address}\n", "")
    return Op(
        f"takes {address} off {link}", shown, lambda: tools.run("ip", "address", "del", address, "dev", link), undo
    )


def _configured(tools: Tools) -> tuple[cni.Network, tuple[str, ...]]:
    """The runtime's network, and the bridges that its plugins make."""
    directory = _directories(tools)[0]
    first = next(iter(configurations(directory, names(tools.path(directory)))), None)
    if first is None:
        raise NotPossible(f"{directory} holds no CNI configuration: which network is the runtime's cannot be told")
    text, is_list = read(tools.path(first)), first.endswith(".conflist")
    try:
        found = cni.network(text, is_list), cni.bridges(text, is_list)
    except ParseError as error:
        raise NotPossible(f"{first} cannot be read: {error}") from error
    if not re.fullmatch(r"[\w][\w.-]{0,200}", found[0].name):
        raise NotPossible(f"{first} names no network")
    return found
