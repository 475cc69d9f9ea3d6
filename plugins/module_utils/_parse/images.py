# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Messages of the CRI's image service, version 1 (cri-api, pkg/apis/runtime/v1/api.proto)."""

from __future__ import annotations

import typing as t

from .protobuf import embedded, fields, latest, messages

SERVICE: t.Final = "/runtime.v1.ImageService/"


class Image(t.NamedTuple):
    """One image of the runtime's list; ``names`` are its tags and digests."""

    id: str
    names: tuple[str, ...]
    size: int  # bytes that the runtime counts for it; layers that others share are counted for each
    pinned: bool  # not to be collected: the sandbox image


def listed(message: bytes) -> tuple[Image, ...]:
    """ListImagesResponse -> images."""
    return tuple(_image(item) for item in messages(message, 1))


def _image(item: bytes) -> Image:
    values = latest(item)
    names = tuple(_text(value) for number, value in fields(item) if number in (2, 3))  # repo_tags, repo_digests
    taken, pinned = values.get(4, 0), values.get(8, 0)
    return Image(_text(values.get(1)), names, taken if isinstance(taken, int) else 0, bool(pinned))


def used(message: bytes) -> frozenset[str]:
    """ListContainersResponse -> every name by which a container, also one that has ended, may mean its image."""
    found: set[str] = set()
    for item in messages(message, 1):
        values = latest(item)
        spec = values.get(4)
        inner = latest(spec) if isinstance(spec, bytes) else {}
        # image_ref, image_id (from cri-api 0.30 on), and of the ImageSpec image and user_specified_image
        found |= {_text(value) for value in (values.get(5), values.get(10), inner.get(1), inner.get(18))}
    return frozenset(found - {""})


def named(image: str) -> bytes:
    """RemoveImageRequest."""
    return embedded(1, embedded(1, image.encode()))


def _text(value: t.Union[int, bytes, None]) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
