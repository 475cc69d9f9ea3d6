# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of the CRI, as containerd encodes them."""

from __future__ import annotations

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse import images
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded, enum

ONE = embedded(1, b"sha256:ab") + embedded(2, b"reg/app:1") + embedded(3, b"reg/app@sha256:cd") + enum(4, 99)
PINNED = embedded(1, b"sha256:ef") + enum(8, 1)


def test_a_list_of_images() -> None:
    one, pinned = images.listed(embedded(1, ONE) + embedded(1, PINNED))
    assert one == images.Image("sha256:ab", ("reg/app:1", "reg/app@sha256:cd"), 99, False)
    assert pinned == images.Image("sha256:ef", (), 0, True)
    assert images.listed(b"") == ()


def test_every_name_by_which_a_container_may_mean_its_image() -> None:
    spec = embedded(1, b"reg/app:1")
    container = embedded(1, b"c1") + embedded(4, spec) + embedded(5, b"sha256:ab") + embedded(10, b"sha256:cd")
    assert images.used(embedded(1, container)) == {"reg/app:1", "sha256:ab", "sha256:cd"}
    assert images.used(embedded(1, embedded(1, b"c2"))) == frozenset()


def test_what_is_cut_off_is_refused() -> None:
    with pytest.raises(ParseError):
        images.listed(embedded(1, ONE)[:-1])


def test_a_request_names_one_image() -> None:
    assert images.named("ab") == b"\x0a\x04\x0a\x02ab"
