# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The files that a kubelet is started with to get a new client certificate, and those that were there before.

What was there is put aside, and stays there until somebody has seen that the new certificate works. The token lies on a
tmpfs, and the disk has a link to it: a power cut leaves no secret behind.
"""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import typing as t

from .._diagnosis.node import Profile
from .._parse import x509
from .._parse.errors import ParseError
from .._parse.kubeconfig import Access
from .aside import Aside
from .durable import HALF, in_memory, sync, write
from .errors import words
from .files import filled, names, read_or_none

KEPT: t.Final = "/var/lib/outward-kubelet/client-certificate"
MEMORY: t.Final = "/run/outward-kubelet"


class Handed(t.NamedTuple):
    """What the node is given: where the API server is, the CA that it proves itself by (PEM), and the token."""

    server: str
    authority: str
    token: str

    def access(self) -> Access:
        """To ask the API server without a certificate."""
        return Access(self.server, None, self.authority.encode("ascii"), None, None, None)


class Renewal:
    """The :class:`~.task.Change` of one node. *root* is put before every path, for tests."""

    def __init__(self, profile: Profile, handed: Handed, root: str = "") -> None:
        self._handed = handed
        self._kubeconfig = root + profile.kubeconfig
        self._bootstrap = root + profile.bootstrap_kubeconfig
        self._pki, self._ca = root + profile.pki_dir, root + profile.ca_file
        self._kept, self._memory = root + KEPT, root + MEMORY
        self._secret = f"{self._memory}/{os.path.basename(self._bootstrap)}"
        self._aside = Aside(self._kept, self._present, self._whole)

    def make(self) -> t.Optional[str]:
        """Put aside what is there, and the bootstrap kubeconfig in its place."""
        if not in_memory(self._memory):
            return f"{os.path.dirname(self._memory)} is no tmpfs, and a token is not written to a disk"
        try:
            self._withdraw()
            self._aside.put()
            self._trust()
            self._hand_over()
        except (OSError, ValueError) as error:  # ParseError is one too
            return f"the kubelet's files could not be changed: {words(error)}"
        return None

    def keep(self) -> t.Optional[str]:
        """The new certificate works on this node: the token goes; what was there stays until :meth:`drop`."""
        return self._tried(self._finish)

    def undo(self) -> t.Optional[str]:
        """Put back what was there before."""
        return self._tried(self._put_back) or self._aside.told()

    def drop(self) -> t.Optional[str]:
        """What was there is not needed any more."""
        return self._tried(self._forget)

    def arrived(self) -> bool:
        """There is a client certificate."""
        return os.path.exists(f"{self._pki}/kubelet-client-current.pem")

    @property
    def left(self) -> bool:
        """Something is put aside."""
        return self._aside.left

    def _tried(self, deed: t.Callable[[], None]) -> t.Optional[str]:
        try:
            deed()
        except (OSError, ValueError) as error:
            return f"{self._kept}: {words(error)}"
        return None

    def _put_back(self) -> None:
        """As it was before; a CA that was replaced too."""
        self._withdraw()
        self._aside.back()
        authority = read_or_none(f"{self._kept}/ca.crt")
        if authority is not None:
            write(self._ca, authority, 0o644)
        self._aside.clear()

    def _trust(self) -> None:
        """The kubelet checks its clients by the cluster's CA too; a bundle that holds it already is left alone."""
        there = read_or_none(self._ca)
        if there is not None and _certificates(self._handed.authority) <= _certificates(there):
            return
        if there is not None and os.path.exists(f"{self._kept}/ca.crt"):  # it came after a run that was cut off
            self._aside.lay_beside(self._ca)
        elif there is not None:
            write(f"{self._kept}/ca.crt", there, 0o600)
        os.makedirs(os.path.dirname(self._ca), exist_ok=True)
        write(self._ca, self._handed.authority, 0o644)

    def _hand_over(self) -> None:
        opened(self._memory)
        write(self._secret, json.dumps(kubeconfig(self._handed)), 0o600)
        os.symlink(self._secret, self._bootstrap)
        sync(os.path.dirname(self._bootstrap))

    def _withdraw(self) -> None:
        """No token is left; a bootstrap kubeconfig that is not ours is."""
        if os.path.islink(self._bootstrap) and os.readlink(self._bootstrap) == self._secret:
            os.unlink(self._bootstrap)
        for path in (self._secret, f"{self._secret}{HALF}"):
            if os.path.lexists(path):
                os.unlink(path)
        closed(self._memory)

    def _finish(self) -> None:
        self._withdraw()
        self._aside.done()

    def _forget(self) -> None:
        self._withdraw()
        self._aside.forget()

    def _present(self) -> list[str]:
        own = [f"{self._pki}/{name}" for name in names(self._pki) if name.startswith("kubelet-client")]
        return [path for path in (self._kubeconfig, self._bootstrap, *own) if os.path.lexists(path)]

    def _whole(self) -> bool:
        return filled(self._kubeconfig) and self.arrived()


def opened(memory: str) -> None:
    """The place for what is never on a disk is there, for root alone."""
    os.makedirs(memory, mode=0o700, exist_ok=True)
    os.chmod(memory, 0o700)


def closed(memory: str) -> None:
    """It is gone again, unless there is something in it."""
    with contextlib.suppress(OSError):
        os.rmdir(memory)


def kubeconfig(handed: Handed) -> dict[str, t.Any]:
    """A bootstrap kubeconfig; JSON is YAML."""
    data = binascii.b2a_base64(handed.authority.encode("ascii"), newline=False).decode("ascii")
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": {"server": handed.server, "certificate-authority-data": data}}],
        "users": [{"name": "bootstrap", "user": {"token": handed.token}}],
        "contexts": [{"name": "bootstrap", "context": {"cluster": "cluster", "user": "bootstrap"}}],
        "current-context": "bootstrap",
    }


def _certificates(text: str) -> set[bytes]:
    """Those that can be read; of a file that is broken, none."""
    try:
        return {found.encoded for found in x509.certificates(text)}
    except ParseError:
        return set()
