# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The YAML reader gives what PyYAML gives, or says that it cannot: never another value."""

from __future__ import annotations

import json
import math
import random
import time
import typing as t

import pytest
import yaml

from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import NotThatFormat, ParseError
from ansible_collections.outward.kubelet.plugins.module_utils._parse.yaml import load

# What kubeadm 1.37.2 wrote to /var/lib/kubelet/config.yaml, shortened.
KUBELET = """\
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
"""

# Read, and read as PyYAML reads it.
READ = {
    "kubelet": KUBELET,
    "nothing": "",
    "comments only": "# a\n  # b\n\n",
    "document markers": "---\na: 1\n...\n",
    "item at the key's own indentation": "a:\n- b\n- c\nd: 1\n",
    "mapping in an item": "- name: a\n  value: b\n-\n  name: c\n- - 1\n  - 2\n",
    "quotes": 'a: \'it\'\'s\'\n"b c": "x\\"y\\\\z\\n"\n\'#d\': "# no comment" # a comment\n',
    "flow": 'a: [1, "b, c", \'d\', [], {}]\nb: {c: 1, "d": [x, z], e: {f: null}}\nc: []\n',
    "words": "a: yes\nb: Off\nc: ~\nd: null\ne:\nf: True\ng: nope\n",
    "numbers and what only looks like one": "a: -5\nb: 1.50\nc: 10%\nd: 100Mi\ne: 10.96.0.10\nf: 2m0s\ng: v1.37.2\n",
    "a value with a hash, a colon and a dash": "a: b#c\nd: http://x:6443/y\ne: -f\ng: a:b\n",
    "json": '{"a": [1, 2.5, null, true, {"b": "c"}]}',
    "carriage returns": "a: 1\r\nb:\r\n  - c\r\n",
    "a lone scalar": "hello world\n",
    "blank before the colon": "a : b\n",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_reads_what_pyyaml_reads(text: str) -> None:
    assert load(text) == yaml.safe_load(text)


# Some of these PyYAML reads; this reader must refuse them rather than guess.
REFUSED = {
    "anchor": "a: &x 1\nb: *x\n",
    "tag": "a: !!str 1\n",
    "literal block": "a: |\n  b\n",
    "folded block": "a: >-\n  b\n",
    "folded plain scalar": "a: b\n  c\n",
    "quotes over lines": 'a: "b\n  c"\n',
    "two documents": "a: 1\n---\nb: 2\n",
    "directive": "%YAML 1.1\n---\na: 1\n",
    "key twice": "a: 1\na: 2\n",
    "key twice in flow": "x: {a: 1, a: 2}\n",
    "key twice in JSON": '{"a": 1, "a": 2}',
    "merge key": "<<: 1\n",
    "complex key": "? a\n: b\n",
    "number as key": "1: a\n",
    "word as key": "yes: a\n",
    "octal": "a: 0644\n",
    "hexadecimal": "a: 0x10\n",
    "sexagesimal": "a: 12:30\n",
    "date": "a: 2026-11-23\n",
    "exponent": "a: 1e3\n",
    "underscore": "a: 1_000\n",
    "infinity": "a: .inf\n",
    "one letter that is true in YAML 1.1": "a: y\n",
    "NaN in JSON": '{"a": NaN}',
    "tab": "a:\n\tb: 1\n",
    "mapping in a value": "a: b: c\n",
    "wrong indentation": "a:\n    b: 1\n  c: 2\n",
    "item after a value": "a: 1\n- b\n",
    "value after quotes": 'a: "b" c\n',
    "open bracket": "a: [1, 2\n",
    "unknown escape": 'a: "\\x41"\n',
    "merge conflict": "<<<<<<< HEAD\na: 1\n=======\n",
    "byte order mark inside": "a: 1\n\ufeffb: 2\n",
    "deep": "- " * 60 + "a\n",
    "deep flow": "a: " + "[" * 60 + "]" * 60 + "\n",
    "deep JSON": "[" * 9 + '{"a":' * 20_000,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refuses_what_it_does_not_know(text: str) -> None:
    with pytest.raises(ParseError):
        load(text)


@pytest.mark.parametrize("text", ["\0" * 512, "a: 1\n\x01", "a: \udcff\n", "a: \x7f\n"])
def test_what_a_power_loss_leaves_is_certainly_no_yaml(text: str) -> None:
    with pytest.raises(NotThatFormat):
        load(text)


def test_an_error_names_the_line() -> None:
    with pytest.raises(ParseError, match="line 3"):
        load("a: 1\n\nb: [\n")


WORDS: t.Final = [
    "a",
    "b c",
    "yes",
    "null",
    "",
    "1",
    "-",
    "x: y",
    "#h",
    "it's",
    'say "x"',
    "10%",
    "0x1f",
    "1e5",
    " pad ",
    "é",
    "a\\b",
    "- d",
    "[",
    "{}",
    "12:30",
    "2001-01-01",
    "~",
    "=",
    "!t",
    "&a",
    "*b",
    "%c",
    "@d",
    "`e",
    "tab\tx",
    "l\nm",
]


def _scalar(source: random.Random) -> t.Any:
    kinds: list[t.Callable[[], t.Any]] = [
        lambda: source.choice(WORDS),
        lambda: source.choice(WORDS) + source.choice(WORDS),
        lambda: source.randint(-(10**6), 10**6),
        lambda: source.choice([True, False, None]),
        lambda: round(source.uniform(-9, 9), 3),
    ]
    return source.choice(kinds)()


def _value(source: random.Random, depth: int) -> t.Any:
    kind = source.random()
    if depth == 0 or kind < 0.4:
        return _scalar(source)
    if kind < 0.7:
        return [_value(source, depth - 1) for dummy in range(source.randint(0, 3))]
    keys = ["name", "a.b/c", "x y", "n1", "yes", "1", "#k", "", "k:", "-"]
    return {source.choice(keys): _value(source, depth - 1) for dummy in range(source.randint(0, 4))}


@pytest.mark.parametrize("style", [None, '"', "'"])
@pytest.mark.parametrize("flow", [None, False, True])
def test_a_thousand_random_documents(style: str | None, flow: bool | None) -> None:
    """Whatever PyYAML writes is read back as it is, or refused; most of it is read."""
    source = random.Random(f"{style}{flow}")
    read = 0
    for dummy in range(300):
        value = _value(source, 4)
        text = yaml.safe_dump(value, default_style=style, default_flow_style=flow, width=math.inf, allow_unicode=True)
        try:
            found = load(text)
        except ParseError:
            continue
        assert found == yaml.safe_load(text), text
        read += 1
    assert style is not None or read > 60


def test_random_damage_is_never_read_wrongly() -> None:
    """A document with characters changed, dropped or doubled: the same as PyYAML, or refused."""
    source = random.Random(1)
    for dummy in range(1500):
        text = list(KUBELET[: source.randint(20, 700)])
        for dummy in range(source.randint(1, 4)):
            at = source.randrange(len(text))
            text[at] = source.choice(["", text[at] * 2, ":", " ", "\n", "-", '"', "'", "#", "[", "{", ",", "1", "."])
        _same_or_refused("".join(text))


def _same_or_refused(text: str) -> None:
    try:
        found = load(text)
    except ParseError:
        return
    assert json.dumps(found, sort_keys=True) == json.dumps(yaml.safe_load(text), sort_keys=True, default=str), text


def test_a_hostile_document_costs_no_time() -> None:
    begin = time.monotonic()
    for text in (
        "a" * 200_000,
        "'" * 200_000,
        '"\\' * 100_000,
        "[" * 200_000,
        "- " * 100_000,
        "a: {b: " * 30_000,
        "1" * 200_000,
        ":" * 200_000,
        "a:\n" * 80_000,
    ):
        _same_or_refused_quickly(text)
    assert time.monotonic() - begin < 5


def _same_or_refused_quickly(text: str) -> None:
    try:
        load(text)
    except ParseError:
        return
