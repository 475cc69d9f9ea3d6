# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The files that a kubelet is started with to get a new client certificate, and those that were there before.

What was there is moved into a directory that only root can read, and stays there until somebody has seen that the new
certificate works. A list of it is written first, so that a run that was killed is carried on with or taken back by
the next one, whatever it had come to. The token lies on a tmpfs, and the disk has a link to it: a power cut leaves no
secret behind.
"""

from __future__ import annotations

import binascii
import errno
import json
import os
import shutil
import stat
import typing as t

from .._diagnosis.node import Profile
from .._parse import x509
from .._parse.errors import ParseError
from .._parse.kubeconfig import Access
from .._parse.mounts import mountinfo
from .errors import words
from .files import names, read, read_or_none

KEPT: t.Final = "/var/lib/outward-kubelet/client-certificate"
MEMORY: t.Final = "/run/outward-kubelet"
LIST, DONE = "list.json", "done"
HALF: t.Final = ".outward"  # what is behind the name of a file that is being written
IN_MEMORY: t.Final = frozenset({"tmpfs", "ramfs"})


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

    def make(self) -> t.Optional[str]:
        """Put aside what is there, and the bootstrap kubeconfig in its place."""
        if not _in_memory(self._memory):
            return f"{os.path.dirname(self._memory)} is no tmpfs, and a token is not written to a disk"
        try:
            self._put_aside()
            self._trust()
            self._hand_over()
        except (OSError, ParseError) as error:
            return f"the kubelet's files could not be changed: {words(error)}"
        return None

    def keep(self) -> t.Optional[str]:
        """The new certificate works on this node: the token goes; what was there stays until :meth:`drop`."""
        return self._tried(self._finish)

    def undo(self) -> t.Optional[str]:
        """Put back what was there before."""
        return self._tried(self._put_back)

    def drop(self) -> t.Optional[str]:
        """What was there is not needed any more."""
        return self._tried(self._forget)

    def arrived(self) -> bool:
        """There is a client certificate."""
        return os.path.exists(f"{self._pki}/kubelet-client-current.pem")

    @property
    def left(self) -> bool:
        """Something is put aside."""
        return os.path.lexists(self._kept)

    def _tried(self, deed: t.Callable[[], None]) -> t.Optional[str]:
        try:
            deed()
        except (OSError, ValueError) as error:
            return f"{self._kept}: {words(error)}"
        return None

    def _put_aside(self) -> None:
        """What an earlier run that was cut off has put aside is what was there; all else came of that run."""
        if os.path.exists(f"{self._kept}/{DONE}"):
            self._forget()
        os.makedirs(self._kept, mode=0o700, exist_ok=True)
        os.chmod(self._kept, 0o700)
        if not os.path.exists(f"{self._kept}/{LIST}"):
            _write(f"{self._kept}/{LIST}", json.dumps(self._present()), 0o600)
        listed = self._listed()
        for path in self._present():
            if path in listed and not os.path.lexists(self._place(listed, path)):
                _move(path, self._place(listed, path))
            else:
                os.unlink(path)
        _sync(self._kept)

    def _put_back(self) -> None:
        """What is there and was not, goes; what was put aside, comes; what was never moved, stays."""
        self._withdraw()
        if os.path.exists(f"{self._kept}/{LIST}"):
            self._return(self._listed())
        authority = read_or_none(f"{self._kept}/ca.crt")
        if authority is not None:
            _write(self._ca, authority, 0o644)
        self._forget()

    def _return(self, listed: list[str]) -> None:
        for path in self._present():
            if path not in listed:
                os.unlink(path)
        for path in listed:
            if os.path.lexists(self._place(listed, path)):
                _move(self._place(listed, path), path)

    def _trust(self) -> None:
        """The kubelet checks its clients by the cluster's CA too; a bundle that holds it already is left alone."""
        there = read_or_none(self._ca)
        if there is not None and _certificates(self._handed.authority) <= _certificates(there):
            return
        if there is not None and not os.path.exists(f"{self._kept}/ca.crt"):
            _write(f"{self._kept}/ca.crt", there, 0o600)
        _write(self._ca, self._handed.authority, 0o644)

    def _hand_over(self) -> None:
        os.makedirs(self._memory, mode=0o700, exist_ok=True)
        os.chmod(self._memory, 0o700)
        secret = f"{self._memory}/{os.path.basename(self._bootstrap)}"
        _write(secret, json.dumps(kubeconfig(self._handed)), 0o600)
        os.symlink(secret, self._bootstrap)
        _sync(os.path.dirname(self._bootstrap))

    def _withdraw(self) -> None:
        """No token is left; a bootstrap kubeconfig that is not ours is."""
        secret = f"{self._memory}/{os.path.basename(self._bootstrap)}"
        if os.path.islink(self._bootstrap) and os.readlink(self._bootstrap) == secret:
            os.unlink(self._bootstrap)
        for path in (secret, f"{secret}{HALF}"):
            if os.path.lexists(path):
                os.unlink(path)

    def _finish(self) -> None:
        self._withdraw()
        _write(f"{self._kept}/{DONE}", "", 0o600)

    def _forget(self) -> None:
        self._withdraw()
        if self.left:
            shutil.rmtree(self._kept)
            _sync(os.path.dirname(self._kept))

    def _present(self) -> list[str]:
        own = [f"{self._pki}/{name}" for name in names(self._pki) if name.startswith("kubelet-client")]
        return [path for path in (self._kubeconfig, self._bootstrap, *own) if os.path.lexists(path)]

    def _listed(self) -> list[str]:
        return [str(each) for each in json.loads(read(f"{self._kept}/{LIST}"))]

    def _place(self, listed: list[str], path: str) -> str:
        return f"{self._kept}/{listed.index(path)}"


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


def _in_memory(path: str) -> bool:
    """The filesystem that *path* would be on keeps nothing over a power cut."""
    mounts = mountinfo(read("/proc/self/mountinfo"))
    around = [mount for mount in mounts if f"{path}/".startswith(f"{mount.mount_point.rstrip('/')}/")]
    return bool(around) and max(reversed(around), key=lambda mount: len(mount.mount_point)).kind in IN_MEMORY


def _certificates(text: str) -> set[bytes]:
    """Those that can be read; of a file that is broken, none."""
    try:
        return {found.encoded for found in x509.certificates(text)}
    except ParseError:
        return set()


def _write(path: str, text: str, mode: int) -> None:
    """Whole or not at all, and on the disk when this returns; from its first byte on with *mode*."""
    temporary = f"{path}{HALF}"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(descriptor, mode)
        data = text.encode("utf-8", "surrogateescape")
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
    _sync(os.path.dirname(path))


def _move(source: str, target: str) -> None:
    """Also to another filesystem, as one step: there is the whole file at one of the two places, or at both."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
        else:
            _write(target, read(source), stat.S_IMODE(os.stat(source).st_mode))
        os.unlink(source)
    _sync(os.path.dirname(source))
    _sync(os.path.dirname(target))


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
