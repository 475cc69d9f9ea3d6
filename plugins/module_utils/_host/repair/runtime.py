# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""containerd's configuration file: a pause image that is there, or a copy that can be used."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import Content, GoodCopy, Lines, PauseImage
from ..._parse import images
from ..errors import ProbeError
from ..files import names, read
from .files import content, lines
from .tools import NotPossible, Op, Tools

# containerd 1.x: sandbox_image; 2.x: sandbox, of pinned_images.
SANDBOX_LINE: t.Final = r"^(\s*sandbox(?:_image)?\s*=\s*)[\"'][^\"'\n]{0,300}[\"']"
# As editors, packages and people call a copy: config.toml.bak, .orig, .dpkg-old, ~, -20261101.
COPY: t.Final = r"[.~-][\w.~-]{0,80}"
SYSTEMD: t.Final = re.compile(r"^\s{0,80}SystemdCgroup\s?=\s?true", re.MULTILINE)


def pause_image(change: PauseImage, tools: Tools) -> Iterator[Op]:
    """By its name: what kubeadm, distributions and mirrors call it ends in /pause, and a tag."""
    found = images.listed(tools.cri("ListImages", service=images.SERVICE))
    tags = [
        (image.pinned, name)
        for image in found
        for name in image.names
        if re.fullmatch(r"[\w.:/-]{1,200}/pause:[\w.-]{1,80}", name)
    ]
    if not tags:
        raise NotPossible("there is no pause image on the node: pull or import the one that the configuration names")
    yield from lines(Lines(change.path, SANDBOX_LINE, rf'\1"{max(tags)[1]}"', needed=True), tools)


def good_copy(change: GoodCopy, tools: Tools) -> Iterator[Op]:
    """containerd itself says whether it can use a copy, without being started."""
    directory, name = os.path.split(change.path)
    place = tools.path(directory)
    copies = [each for each in names(place) if re.fullmatch(re.escape(name) + COPY, each)]
    newest = sorted(copies, key=lambda each: -os.lstat(f"{place}/{each}").st_mtime)
    for each in newest:
        text = _usable(f"{place}/{each}", change.cgroup_driver, tools)
        if text is not None:
            yield from content(Content(change.path, text), tools)
            return
    raise NotPossible(
        f"of {len(copies)} copies beside {change.path} none is one that containerd can use with the cgroup driver "
        f"{change.cgroup_driver}: mend it by hand"
    )


def _usable(path: str, driver: str, tools: Tools) -> t.Optional[str]:
    try:
        dump = tools.ask("containerd", "--config", path, "config", "dump")
        text = read(path)
    except (OSError, ProbeError):
        return None
    return text if bool(SYSTEMD.search(dump)) == (driver == "systemd") else None
