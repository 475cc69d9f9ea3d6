# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kubelet's configuration file: made anew by kubeadm, or pointed to a resolver that is there."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import KubeletConfig, Lines, Resolver
from ..durable import write
from ..errors import ProbeError
from ..files import read_or_none
from .files import keep, lines, put_back
from .tools import NotPossible, Op, Shown, Tools

KUBEADM: t.Final = ("kubeadm", "upgrade", "node", "phase", "kubelet-config")
SOURCE: t.Final = "what kubeadm makes of ConfigMap kube-system/kubelet-config\n"
# The host's own, and those of what usually stands behind it.
RESOLVERS: t.Final = (
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/NetworkManager/resolv.conf",
)
LOOPBACK: t.Final = re.compile(r"^\s{0,80}nameserver\s{1,80}(?:127\.|::1\b)", re.MULTILINE)


def rebuilt(change: KubeletConfig, tools: Tools) -> Iterator[Op]:
    """kubeadm wants to keep the file before it writes another, so that an empty one has to be there."""
    try:
        tools.ask("kubeadm", "version", "-o", "short")
    except (OSError, ProbeError) as error:
        raise NotPossible(f"kubeadm cannot be run here: {error}") from error
    place = tools.path(change.path)
    before = read_or_none(place)

    def do() -> None:
        if before is None:
            write(place, "", 0o644)
        else:
            keep(tools, change.path)
        tools.run(*KUBEADM)
        if not os.path.getsize(place):
            raise ProbeError("kubeadm has written nothing")

    def undo() -> None:
        if before is None:
            os.unlink(place)
        else:
            put_back(tools, change.path)

    yield Op(f"makes {change.path} anew: {' '.join(KUBEADM)}", Shown(change.path, before or "", SOURCE), do, undo)


def resolver(change: Resolver, tools: Tools) -> Iterator[Op]:
    """A server on a loopback address is the host's own: in a Pod there is nobody at it."""
    texts = {path: read_or_none(tools.path(path)) for path in RESOLVERS}
    good = [path for path, text in texts.items() if text is not None and not LOOPBACK.search(text)]
    if not good:
        raise NotPossible(f"none of {', '.join(RESOLVERS)} is there without a server on a loopback address")
    yield from lines(Lines(change.path, r"^resolvConf\s*:.*$", f"resolvConf: {good[0]}", needed=True), tools)
