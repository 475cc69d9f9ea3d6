# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a change is made of on the node: operations that can be shown, done and taken back, and the tools for them."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Callable

from ..._diagnosis.node import ApiPath, Profile
from ..._parse import cri as messages
from ..._parse import kubeconfig
from ..._parse.redact import redact
from ..command import run
from ..errors import ProbeError
from ..probes.cri import Connection, socket_of

# systemctl, modprobe, swapoff (which reads pages back from a card), journalctl: what takes longer does not end at all.
SECONDS: t.Final = 60.0
CRI_SECONDS: t.Final = 20.0
QUOTED: t.Final = 300


class NotPossible(Exception):
    """A change that cannot be made on this node; the text says why, and nothing was touched.

    *owners*: the Pods (namespace/name) that stand in its way.
    """

    def __init__(self, words: str, owners: t.Sequence[str] = ()) -> None:
        super().__init__(words)
        self.owners = tuple(owners)


class Shown(t.NamedTuple):
    """For ``--diff``: what stands at a place before and after."""

    place: str
    before: str
    after: str


class Op(t.NamedTuple):
    """One thing that is done. ``do`` and ``undo`` raise ``OSError``, ``ProbeError``, ``Refused`` or ``ParseError``.

    What was done cannot always be told before, and not all of it can always be taken back: they return that in words.
    """

    words: str
    shown: Shown
    do: Callable[[], t.Optional[str]]  # what came of it, when that could not be known before; else None
    undo: t.Optional[Callable[[], t.Optional[str]]]  # what stays, and why; None instead of it: it cannot be taken back


class Tools:
    """The node, below *root* (for tests); copies of what is replaced go into the directory *backup*.

    *server* is the address at which the controller reaches the API server; empty: not known.
    """

    def __init__(self, profile: Profile, backup: str, root: str = "", server: str = "") -> None:
        self.profile = profile
        self.backup = backup
        self.server = server
        self._root = root

    def path(self, path: str) -> str:
        """Where *path* is."""
        return f"{self._root}{path}"

    def run(self, *command: str) -> None:
        """Raises :class:`ProbeError` with what it said when it did not succeed."""
        self.ask(*command)

    def ask(self, *command: str) -> str:
        """What it printed."""
        answer = run(command, SECONDS)
        if answer.status:
            said = " ".join(redact(answer.err).split())[-QUOTED:]
            raise ProbeError(f"{command[0]}: {said or f'ended with status {answer.status}'}")
        return answer.out

    def cri(self, method: str, message: bytes = b"", service: str = messages.SERVICE) -> bytes:
        """One call of the container runtime."""
        with Connection(socket_of(self.profile), time.monotonic() + CRI_SECONDS) as connection:
            return connection.call(method, message, service)

    def reach(self, access: kubeconfig.Access, name: str = "") -> ApiPath:
        """The API server as a kubelet with that kubeconfig would reach it; with *name*, when it proves to be that too."""
        from ..probes import api  # ssl costs more than all else here, and few repairs need it

        return api.reach(access, self.profile, name)

    def available(self, path: str) -> int:
        """Bytes on the filesystem of *path*, as the kubelet counts them."""
        found = os.statvfs(self.path(path))
        return found.f_bavail * found.f_frsize

    def inodes(self, path: str) -> int:
        """Inodes that are free on the filesystem of *path*, as the kubelet counts them."""
        return os.statvfs(self.path(path)).f_ffree
