# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CNI configurations."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse import cni
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

# flannel v0.25
FLANNEL = """{"name": "cbr0", "cniVersion": "0.3.1", "plugins": [
  {"type": "flannel", "delegate": {"isDefaultGateway": true}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}"""
BRIDGE = '{"cniVersion": "1.0.0", "name": "lab", "type": "bridge", "ipam": {"type": "host-local"}}'


def test_plugins_and_their_ipam() -> None:
    assert cni.network(FLANNEL, True) == ("cbr0", ("flannel", "portmap"))
    assert cni.network(BRIDGE, False) == ("lab", ("bridge", "host-local"))


@pytest.mark.parametrize(
    ("text", "is_list", "words"),
    [
        ("", True, "empty"),
        ("\n", False, "empty"),
        ("{", True, "not JSON"),
        ("[" * 100_000, True, "not JSON"),
        ("[]", True, "no JSON object"),
        ('{"name": "a"}', True, "no plugins"),
        ('{"name": "a", "plugins": []}', True, "no plugins"),
        ('{"plugins": [{"type": "a"}]}', True, "no name"),
        ('{"name": "a", "plugins": [{}]}', True, "without a type"),
        ('{"name": "a"}', False, "without a type"),
    ],
)
def test_what_no_runtime_can_use(text: str, is_list: bool, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        cni.network(text, is_list)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"name": "n", "plugins": [{"type": "bridge", "bridge": "br7"}, {"type": "portmap"}]}', ("br7",)),
        ('{"name": "n", "plugins": [{"type": "bridge"}]}', ("cni0",)),
        ('{"name": "n", "plugins": [{"type": "flannel", "delegate": {"bridge": "cbr0"}}]}', ("cbr0",)),
        ('{"name": "n", "plugins": [{"type": "flannel"}]}', ("cni0",)),
        ('{"name": "n", "plugins": [{"type": "calico", "bridge": "eth0"}, "no plugin"]}', ()),
    ],
)
def test_the_bridges_that_it_makes(text: str, found: tuple[str, ...]) -> None:
    assert cni.bridges(text, is_list=True) == found


def kept(config: str) -> str:
    return json.dumps({"kind": "cniCacheV1", "config": base64.b64encode(config.encode()).decode()})


def test_what_libcni_keeps() -> None:
    assert cni.cached(kept(FLANNEL)) == (("cbr0", ("flannel", "portmap")), FLANNEL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"config": 7}',
        '{"config": "%%%"}',
        kept("{"),
        kept(BRIDGE),  # no list: containerd makes lists of all
        kept('{"name": "../../etc/x", "plugins": [{"type": "bridge"}]}'),
        kept('{"name": "cni-loopback", "plugins": [{"type": "loopback"}]}'),
    ],
)
def test_and_what_no_runtime_could_use(text: str) -> None:
    with pytest.raises(ParseError):
        cni.cached(text)
