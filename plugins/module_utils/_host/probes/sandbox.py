# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The functional probe: a Pod sandbox is made for real through the CRI, and removed again.

It has a network of its own and not the host's: the plugins of CNI are asked for nothing else, and a node on which only
they fail is Ready all the same. It is the only probe that changes the node, so it runs when it is asked for by name, one
at a time, and whatever way it ends, the sandboxes with our label are removed: by itself, by the process that started
it, and by the next look at this node. The kubelet helps: a ready sandbox of a Pod that it does not know is stopped
within its housekeeping period of 2 s, and a dead one is removed by its garbage collection every minute
(HandlePodCleanups and evictSandboxes of pkg/kubelet, 1.37). So a sandbox that is gone before we stop it is no failure.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
import typing as t
from collections.abc import Iterator

from ..._diagnosis.node import Profile
from ..._diagnosis.node_pods import PROBE_NAMESPACE, SandboxTrial
from ..._parse import cri as messages
from ..._parse.errors import ParseError
from ..._parse.redact import redact
from ..errors import ProbeError, words
from ..pods import DRIVERS, ROOTS
from ..turns import alone
from .cri import Connection, Refused, socket_of

# A healthy runtime takes a second or two; the kubelet would wait for four minutes (twice its runtimeRequestTimeout).
RUN_SECONDS: t.Final = 18.0
CLEAN_SECONDS: t.Final = 8.0
# The runtime undoes what a caller gave up on; before that a list does not hold it.
UNDO_SECONDS: t.Final = 1.0
MOST: t.Final = 20
LONGEST: t.Final = 400
LOCK: t.Final = "/run/outward-kubelet-sandbox.lock"  # /run is a tmpfs wherever systemd is
PARENTS: t.Final = {"kubepods.slice": "/kubepods.slice/kubepods-besteffort.slice", "kubepods": "/kubepods/besteffort"}
_IDS: t.Final = re.compile(r"\b[0-9a-f]{32,64}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
# What containerd and runc say (fixtures.yml; RunPodSandbox of containerd 1.6 to 2.x), the most specific first.
_CLASSES: t.Final = (
    ("storage", re.compile(r"no space left on device|read-only file system|input/output error|disk quota exceeded")),
    # Calico and Multus ask the API for the Pod; ours is not there, and on such a node proves nothing.
    ("foreign", re.compile(rf"pods? [\\\"]{{0,3}}(?:{PROBE_NAMESPACE}/)?{PROBE_NAMESPACE}[\\\"]{{0,3}} not found")),
    ("cni", re.compile(r"failed to setup network|\bcni\b|failed to create network namespace")),
    ("image", re.compile(r"sandbox image|failed to pull (?:and unpack )?image")),
    ("oci", re.compile(r"OCI runtime|\brunc\b|shim|failed to create containerd task|cgroup")),
)
_TIMEOUT: t.Final = re.compile(r"DeadlineExceeded|context deadline exceeded|context canceled")


def ask(profile: Profile) -> SandboxTrial:
    """One trial. Raises :class:`ProbeError` when another one is going on, or nobody answers at all."""
    with _alone(LOCK):
        return attempt(socket_of(profile), _parent(ROOTS), RUN_SECONDS)


def tidy(profile: Profile) -> tuple[str, ...]:
    """Remove what earlier trials left behind; what could not be removed, and why. A trial that goes on is left alone."""
    with _alone(LOCK):
        return clean(socket_of(profile))


def attempt(path: str, parent: str, seconds: float) -> SandboxTrial:
    """Make one and remove it, over the socket *path*; *seconds* for the first."""
    begin = time.monotonic()
    try:
        outcome, detail = _run(path, parent, begin + seconds)
    finally:
        took = time.monotonic() - begin
        left = clean(path)
    return SandboxTrial(outcome, detail, round(took, 3), left)


def _run(path: str, parent: str, end: float) -> tuple[str, str]:
    uid = "-".join(os.urandom(size).hex() for size in (4, 2, 2, 2, 6))  # a name is reserved while a trial hangs
    try:
        with Connection(path, end) as connection:
            answer = connection.call("RunPodSandbox", messages.sandbox_request(uid, parent))
    except Refused as error:
        return classify(error.outcome, str(error))
    except (TimeoutError, socket.timeout):  # two classes before Python 3.10
        time.sleep(UNDO_SECONDS)
        return "timeout", "RunPodSandbox: no answer in time"
    except (OSError, ParseError) as error:
        raise ProbeError(f"CRI: {path}: {words(error)}") from error
    return ("ok", "") if messages.sandbox_id(answer) else ("other", "RunPodSandbox: an answer without an id")


def classify(outcome: str, said: str) -> tuple[str, str]:
    """(what it is a failure of, the message for a person) of a refusal by the runtime."""
    text = _IDS.sub("ID", redact(" ".join(said[: 10 * LONGEST].split())))
    found = next((name for name, pattern in _CLASSES if pattern.search(text)), "other")
    if outcome == "timeout" or (found == "other" and _TIMEOUT.search(text)):
        found = "timeout"
    return found, text[:LONGEST]


def clean(path: str) -> tuple[str, ...]:
    """Stop and remove every sandbox with our label."""
    problems: list[str] = []
    try:
        with Connection(path, time.monotonic() + CLEAN_SECONDS) as connection:
            for sandbox in messages.sandboxes(connection.call("ListPodSandbox", messages.OUR_SANDBOXES))[:MOST]:
                problems += _remove(connection, sandbox.id)
    except (TimeoutError, socket.timeout):
        problems.append("CRI: no answer in time when a sandbox of ours was to be removed")
    except (OSError, ParseError, Refused) as error:
        problems.append(f"CRI: {words(error)}")
    return tuple(problems)


def _remove(connection: Connection, name: str) -> Iterator[str]:
    """Both calls succeed for one that is gone already (api.proto); a network that cannot be torn down keeps it."""
    for method in ("StopPodSandbox", "RemovePodSandbox"):
        try:
            connection.call(method, messages.sandbox_named(name))
        except Refused as error:
            yield f"{method} {name[:13]}: {classify(error.outcome, str(error))[1]}"
            return


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    try:
        with alone(path):
            yield
    except BlockingIOError as error:
        raise ProbeError("another trial of a Pod sandbox is going on") from error


def _parent(roots: t.Iterable[str]) -> str:
    """The cgroup below which the kubelet puts Pods of the lowest class: with another, runc fails in ways of its own.

    Its driver decides how it is spelt (runc with systemd wants a slice); of two trees the one that it made last.
    """
    tops = [(os.path.join(root, top), top) for root in roots for top in DRIVERS]
    there = [(os.stat(path).st_mtime, top) for path, top in tops if os.path.isdir(path)]
    return PARENTS[max(there)[1]] if there else ""
