# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The node that this process runs on, as the acting side needs it: the real :class:`~.task.Host`."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from .._diagnosis.evidence import Undecided, Unknown
from .._diagnosis.ledger import Moment
from .._diagnosis.node import ApiPath, Cri, Endpoint, NodeEvidence, Profile, Unit
from .._parse.kubeconfig import Access
from .._parse.redact import redact
from . import ledger
from .command import run
from .errors import EXPECTED, words
from .observe import observe
from .pods import running_pods
from .probes import cri, healthz, units
from .runner import Task
from .runner import run as ask
from .subsets import BY_NAME, SUBSETS

# A node that has just been acted on is busy: in the lab `systemctl show` took more than 5 s under a load of 10.
LOOK: t.Final = 10.0
# `containerd config dump` reads its file and its drop-ins; half a second on a Pi.
CONFIG_DUMP: t.Final = 10.0
QUOTED: t.Final = 300


class ThisNode:
    """This node, with its profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def observe(self, only: t.Optional[t.Collection[str]] = None) -> NodeEvidence:
        """Each probe with its deadline."""
        return observe(self._profile, SUBSETS.keys(), only=only)

    def unit(self, name: str) -> Unit:
        """The kubelet's or the runtime's unit; raises Undecided when systemd does not answer."""
        kubelet, runtime, dummy = self._look("units", units.ask)
        return t.cast(Unit, kubelet if name == self._profile.unit else runtime)

    def alive(self, pid: int) -> bool:
        """There is such a process."""
        return pid > 0 and os.path.exists(f"/proc/{pid}")

    def healthz(self) -> Endpoint:
        """Raises Undecided when the question itself was cut off."""
        return t.cast(Endpoint, self._look("healthz", healthz.ask))

    def cri(self) -> Cri:
        """Raises Undecided when the question itself was cut off."""
        return t.cast(Cri, self._look("cri", cri.ask))

    def pods(self) -> frozenset[str]:
        """By their control groups."""
        return frozenset(running_pods())

    def reach(self, access: Access) -> ApiPath:
        """The API server as *access* says, which no file of the node does; raises Undecided when that was cut off."""
        from .probes import api  # with it comes ssl, which costs more than all else here, and few steps need it

        return t.cast(ApiPath, self._look("api", lambda profile: api.reach(access, profile)))

    def systemctl(self, *arguments: str, seconds: float) -> t.Optional[str]:
        """What systemctl said when it did not succeed."""
        return _complaint(["systemctl", "--no-ask-password", *arguments], seconds)

    def runtime_config(self) -> t.Optional[str]:
        """What containerd says of its configuration, without starting it; a missing file is the defaults."""
        path = self._profile.runtime_config
        if not os.path.exists(path):
            return None
        problem = _complaint(["containerd", "--config", path, "config", "dump"], CONFIG_DUMP)
        return None if problem is None else f"containerd cannot use {path}: {problem}"

    def trial(self) -> t.Optional[str]:
        """None: a Pod sandbox was made; else why not. What is left of it is removed, in two tries."""
        try:
            found = observe(self._profile, BY_NAME.keys(), tidy=True).sandbox
            return None if found.outcome == "ok" else f"{found.outcome}: {found.detail}"
        except Undecided as doubt:
            return str(doubt)

    def now(self) -> Moment:
        """Of the ledger's clocks."""
        return ledger.now()

    def wall(self, started: t.Optional[float] = None) -> datetime:
        """By the wall clock of this moment: a step of it in between moves *started* as well."""
        ago = 0.0 if started is None else time.monotonic() - started
        return datetime.now(timezone.utc) - timedelta(seconds=ago)

    def sleep(self, seconds: float) -> None:
        """Without a load of our own; what earlier looks have left behind is reaped."""
        time.sleep(seconds)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass

    def _look(self, name: str, question: Callable[[Profile], t.Any]) -> t.Any:
        answer = ask((Task(name, LOOK, lambda: question(self._profile)),), LOOK)[name]
        if isinstance(answer.value, Unknown):
            raise Undecided(answer.value.reason)
        return answer.value


def _complaint(command: t.Sequence[str], seconds: float) -> t.Optional[str]:
    """None when it succeeded, else the end of what it said in one line, or why it could not be asked."""
    try:
        answer = run(command, seconds)
    except EXPECTED as error:
        return words(error)
    if answer.status == 0:
        return None
    said = " ".join(redact(answer.err).split())
    return said[-QUOTED:] or f"{command[0]} ended with status {answer.status}"
