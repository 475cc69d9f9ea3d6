# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One `kubeadm join`: what an earlier one has left is put aside, the host is set up, and all of it is taken back on failure.

kubeadm gets its configuration in a file of a tmpfs. It writes the token into bootstrap-kubelet.conf; a link that leads
nowhere yet is there before (its preflight takes that for "not there", and its write goes through it), so that the token
comes to lie on the tmpfs as well.
"""

from __future__ import annotations

import json
import os
import signal
import typing as t
from collections.abc import Callable

from .._diagnosis.node import Profile, Unit
from .._parse import x509
from .._parse.errors import ParseError
from .._parse.redact import redact
from .aside import Aside
from .command import run
from .durable import HALF, in_memory, write
from .errors import EXPECTED, words
from .files import filled, names, read
from .renewal import MEMORY, Handed, closed, opened
from .settings import Settings
from .task import ALIVE

KEPT: t.Final = "/var/lib/outward-kubelet/join"
CONFIGURATION: t.Final = f"{MEMORY}/join.json"
VERSION: t.Final = "kubeadm.k8s.io/v1beta4"
# What kubeadm writes besides the files of the profile (pkg kubeadm/app/phases/kubelet of 1.37).
WRITTEN: t.Final = ("instance-config.yaml", "kubeadm-flags.env")
# Of all the time: the API server is there and the token is signed, or they will not be.
DISCOVERY, CALL = 45, 30
QUOTED: t.Final = 400
NOT_QUOTED: t.Final = ("To see the stack trace", "[preflight] If you know what you are doing")


class Wish(t.NamedTuple):
    """What the machine is to be; ``seconds`` for kubeadm to make it so."""

    name: str
    address: str
    taints: tuple[dict[str, str], ...]
    seconds: float


class Joining:
    """The :class:`~.task.Change` of one machine. ``ready``: why it still cannot be joined once it is set up."""

    def __init__(self, profile: Profile, handed: Handed, wish: Wish, settings: Settings, root: str = "") -> None:
        self._profile, self._handed, self._wish = profile, handed, wish
        self.settings = settings
        self._root = root
        self._aside = Aside(root + KEPT, self._present, self._whole)
        self._bootstrap = root + profile.bootstrap_kubeconfig
        self._secret = f"{root}{MEMORY}/{os.path.basename(profile.bootstrap_kubeconfig)}"
        self.before: t.Optional[Unit] = None  # the kubelet's unit, to bring it back to when it does not work out
        self.ready: Callable[[], t.Optional[str]] = lambda: None
        self._touched = False

    def make(self) -> t.Optional[str]:
        """Set up, put aside, and join."""
        if not in_memory(self._root + MEMORY):
            return f"{os.path.dirname(MEMORY)} is no tmpfs, and a token is not written to a disk"
        try:
            self.settings.make()
            problem = self.ready()
            if problem is not None:
                return problem
            self._clear()
            return self._join()
        except (*EXPECTED, ValueError) as error:  # a list of before that cannot be read
            return words(error)

    def keep(self) -> t.Optional[str]:
        """It has joined: the token goes, and what an earlier join has left."""
        return self._tried(self._settle)

    def undo(self) -> t.Optional[str]:
        """The files and the host as they were."""
        return self._tried(self._restore) or self._aside.told()

    def arrived(self) -> bool:
        """There is a client certificate."""
        return os.path.exists(f"{self._root}{self._profile.pki_dir}/kubelet-client-current.pem")

    @property
    def left(self) -> bool:
        """An interrupted join has left something that is not the node's."""
        return self._aside.left or any(os.path.lexists(path) for path in self._secrets())

    def _tried(self, deed: Callable[[], None]) -> t.Optional[str]:
        try:
            deed()
        except (*EXPECTED, ValueError) as error:
            return f"not all was put back: {words(error)}"
        return None

    def _clear(self) -> None:
        """kubeadm starts where nothing is; a kubelet that waits for a certificate would write in between."""
        self._touched = True
        self.settings.ask("stop", self._profile.unit)
        self._withdraw()
        self._aside.put()
        self.settings.ask("enable", self._profile.unit)

    def _join(self) -> t.Optional[str]:
        """Its output ends up in one line, without what could be a secret."""
        opened(self._root + MEMORY)
        os.makedirs(os.path.dirname(self._bootstrap), exist_ok=True)
        os.symlink(self._secret, self._bootstrap)
        text = json.dumps(configuration(self._handed, self._wish, self._profile))
        write(self._root + CONFIGURATION, text, 0o600)
        answer = run(["kubeadm", "join", f"--config={self._root}{CONFIGURATION}"], self._wish.seconds)
        if answer.status == 0:
            return None
        return f"kubeadm join ended with status {answer.status}: {said(answer.err or answer.out, self._handed.token)}"

    def _settle(self) -> None:
        self._withdraw()
        self._aside.forget()

    def _restore(self) -> None:
        if self._touched:
            self.settings.ask("stop", self._profile.unit)
            self._withdraw()
            self._aside.back()
            self._aside.clear()
            self._as_before()
        self.settings.undo()

    def _as_before(self) -> None:
        """The unit does again what it did, be it to fail over and over."""
        if self.before is None:
            return
        if self.before.unit_file_state == "disabled":
            self.settings.ask("disable", self._profile.unit)
        if self.before.active_state in ALIVE:
            self.settings.ask("start", self._profile.unit)

    def _withdraw(self) -> None:
        """No token is left; a bootstrap kubeconfig that is not ours is."""
        for path in self._secrets():
            if os.path.lexists(path):
                os.unlink(path)
        closed(self._root + MEMORY)

    def _secrets(self) -> list[str]:
        own = os.path.islink(self._bootstrap) and os.readlink(self._bootstrap) == self._secret
        files = (self._secret, self._root + CONFIGURATION)
        return [*([self._bootstrap] if own else []), *(path + half for path in files for half in ("", HALF))]

    def _whole(self) -> bool:
        return filled(self._root + self._profile.kubeconfig) and self.arrived()

    def _present(self) -> list[str]:
        """All that a join writes, and that kubeadm's preflight refuses to find."""
        place, pki = self._profile, self._root + self._profile.pki_dir
        fixed = [place.kubeconfig, place.bootstrap_kubeconfig, place.ca_file, place.config]
        fixed += [f"{place.root_dir}/{name}" for name in WRITTEN]
        own = [f"{pki}/{name}" for name in names(pki)]
        return [path for path in (*(self._root + each for each in fixed), *own) if os.path.lexists(path)]


def configuration(handed: Handed, wish: Wish, profile: Profile) -> dict[str, t.Any]:
    """kubeadm's JoinConfiguration; JSON is YAML. The CA is pinned by the hash of its public key."""
    arguments = [{"name": "node-ip", "value": wish.address}] if wish.address else []
    rest = max(30, int(wish.seconds) - DISCOVERY)
    discovery = {
        "apiServerEndpoint": endpoint(handed.server),
        "token": handed.token,
        "caCertHashes": list(dict.fromkeys(map(x509.pin, x509.certificates(handed.authority)))),
    }
    return {
        "apiVersion": VERSION,
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": discovery},
        "nodeRegistration": {
            "name": wish.name,
            "criSocket": f"unix://{profile.cri_socket}",
            "taints": list(wish.taints),
            "kubeletExtraArgs": arguments,
        },
        "timeouts": {
            "discovery": f"{DISCOVERY}s",
            "kubernetesAPICall": f"{CALL}s",
            "kubeletHealthCheck": f"{rest}s",
            "tlsBootstrap": f"{rest}s",
        },
    }


def endpoint(server: str) -> str:
    """host:port of a URL, as kubeadm wants it."""
    place = server[len("https://") :].rstrip("/")
    return place if place.rpartition("]")[2].count(":") else f"{place}:443"


def said(text: str, token: str) -> str:
    """The end of what kubeadm prints, in one line: its errors come last."""
    lines = [line for line in text.splitlines() if not line.startswith(NOT_QUOTED)]
    return redact(" ".join(" ".join(lines).split()).replace(token, "TOKEN")[-QUOTED:])


def end_orphans(root: str = "") -> int:
    """Kill each `kubeadm join` that a run of ours has started and does not wait for any more; how many there were."""
    ended = 0
    for pid in names("/proc"):
        if pid.isdigit() and _ours(pid, root):
            os.kill(int(pid), signal.SIGKILL)
            ended += 1
    return ended


def _ours(pid: str, root: str) -> bool:
    try:
        arguments = read(f"/proc/{pid}/cmdline").split("\0")
    except (OSError, ParseError):
        return False
    return arguments[1:3] == ["join", f"--config={root}{CONFIGURATION}"]
