# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the kubelet trusts and proves itself with, from another place on this node. Keys are compared, never told."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t
from collections.abc import Iterator
from datetime import datetime

from ..._diagnosis.change import ClientCa, ClientCertificate, Content
from ..._parse import kubeconfig, x509
from ..._parse.errors import ParseError
from ..durable import HALF
from ..files import names, read, read_or_none
from .files import content, keep, put_back
from .tools import NotPossible, Op, Shown, Tools

# As client-go's certificate store names them: kubelet-client-2026-11-25-04-29-45.pem.
DATED: t.Final = r"kubelet-client-[0-9-]{10,40}\.pem"


def client_ca(change: ClientCa, tools: Tools) -> Iterator[Op]:
    """The certificates alone are written, whatever else stands beside them."""
    authority = _authority(change.kubeconfig, tools)
    text = b"".join(x509.to_pem(each.encoded) for each in authority).decode("ascii")
    yield from content(Content(change.path, text), tools)


def _authority(path: str, tools: Tools) -> list[x509.X509]:
    """The CA of a kubeconfig; raises :class:`NotPossible` when it names none that is there, else ``ParseError``."""
    try:
        access = kubeconfig.access(read(tools.path(path)))
    except kubeconfig.Unusable as error:
        raise NotPossible(f"{path} cannot be used: {error}") from error
    data = access.ca_data.decode("ascii", "replace") if access.ca_data is not None else None
    text = data or (read_or_none(tools.path(access.ca_file)) if access.ca_file else None)
    if text is None:
        raise NotPossible(f"{path} holds no CA")
    return x509.certificates(text)


def relinked(change: ClientCertificate, tools: Tools) -> Iterator[Op]:
    """The one that is good for the longest; what the link led to stays where it is."""
    directory, authority = os.path.dirname(change.path), _authority(change.kubeconfig, tools)
    dated = [name for name in names(tools.path(directory)) if re.fullmatch(DATED, name)]
    ends = [(end(tools.path(f"{directory}/{name}"), change.name, change.now, authority), name) for name in dated]
    good = sorted((until, name) for until, name in ends if until is not None)
    if not good:
        raise NotPossible(
            f"of {len(dated)} certificates in {directory} none is for {change.name}, has its key, is signed by the cluster's CA "
            "and is valid now"
        )
    yield _leading(change.path, f"{directory}/{good[-1][1]}", tools)


def end(path: str, name: str, now: datetime, authority: t.Sequence[x509.X509]) -> t.Optional[datetime]:
    """When a client certificate for *name* expires; None: it is of no use.

    A signature that only openssl could check is the API server's to refuse.
    """
    try:
        text = read(path)
        found = x509.certificates(text)[0]
        ours = found.common_name == name and x509.belongs(x509.public_half(text), found)
    except (OSError, ParseError):
        return None
    signed = any(x509.signed_by(found, each) is not False for each in authority)
    return found.not_after if ours and signed and found.not_before <= now < found.not_after else None


def _leading(path: str, target: str, tools: Tools) -> Op:
    """A link in one step, over another link or over a file, which is kept."""
    place = tools.path(path)
    before = os.readlink(place) if os.path.islink(place) else None
    there = os.path.lexists(place)

    def do() -> None:
        if there and before is None:
            keep(tools, path)
        _link(place, target)

    def undo() -> None:
        # What the kubelet has rotated meanwhile stays.
        if not os.path.islink(place) or os.readlink(place) != target:
            return
        if before is not None:
            _link(place, before)
        elif there:
            put_back(tools, path)
        else:
            os.unlink(place)

    shown = Shown(path, f"-> {before}\n" if before else "a file\n" if there else "", f"-> {target}\n")
    return Op(f"lets {path} lead to {target}", shown, do, undo)


def _link(place: str, target: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{place}{HALF}")
    os.symlink(target, f"{place}{HALF}")
    os.rename(f"{place}{HALF}", place)
