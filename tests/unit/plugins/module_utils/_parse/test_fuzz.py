# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every parser on damaged and invented input, from a fixed seed: a value, or the error that it documents; never a hang.

The CRI client's decoder is among them: it reads what somebody else's socket says.
"""

from __future__ import annotations

import base64
import contextlib
import random
import time
import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Setting
from ansible_collections.outward.kubelet.plugins.module_utils._parse import (
    cni,
    cri,
    der,
    hpack,
    http2,
    journal,
    kubeconfig,
    kubelet,
    mounts,
    netfiles,
    procfs,
    redact,
    systemd,
    x509,
    yaml,
)
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

SEED = 20261123
ROUNDS = 400
SECONDS = 0.5  # for one input; the slowest takes a few milliseconds
Parser = t.Callable[[t.Any], t.Any]

KUBECONFIG = """apiVersion: v1
kind: Config
current-context: default
clusters:
- name: c
  cluster: {server: "https://10.77.0.1:6443", certificate-authority-data: QUJD}
contexts:
- name: default
  context:
    cluster: c
    user: u
users:
- name: u
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
"""
KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
evictionHard: {memory.available: "100Mi", nodefs.available: 10%}
clusterDNS: [10.96.0.10]
failSwapOn: true
maxPods: 110
"""
UNIT = """[Service]
Environment="A=--v=2 --x 'y z'" B=1
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $A ${B} --config=/x \\
  --kubeconfig /y
"""
JOURNAL = (
    '{"__MONOTONIC_TIMESTAMP":"6000","MESSAGE":"I1123 12:00:00.000000 1 a.go:1] \\"x\\" err=\\"a \\\\\\"b\\\\\\"\\"","_SYSTEMD_INVOCATION_ID":"a"}\n'
    '{"__MONOTONIC_TIMESTAMP":"7000","MESSAGE":[65,66,200],"INVOCATION_ID":"b"}\n'
    '{"__MONOTONIC_TIMESTAMP":"8000","MESSAGE":null}\n'
)
SHOW = "Id=kubelet.service\nLoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=3\nMainPID=700\n"
FIB = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.77.0.14\n        /32 host LOCAL\n"
INET6 = "fd000000000000000000000000000001 02 40 00 80 eth0\n"
ROUTE = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n"
)
ROUTE6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} 00000400 00000001 00000000 00000003 eth0\n"
MOUNTS = "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n30 22 0:30 / /mnt\\040x ro - nfs4 10.0.0.1:/x rw\n"
FSTAB = "/dev/vda1 / ext4 defaults 0 1\n10.0.0.1:/x /mnt nfs4 noauto 0 0\n# comment\nnone none swap sw 0 0\n"
STAT = "700 (kube (let)) S 1 700 700 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 12 0 5000 1 2"
MESSAGE = b"\x0a\x2d\x0a\x1a\x0a\x0cRuntimeReady\x10\x00\x1a\x08NotReady\x0a\x0f\x0a\x0bNetworkRead\x10\x01"
DER = bytes.fromhex("3020a003020102020101300d06092a864886f70d01010b0500300c310a30080603550403") + b"\x0c\x01x"
PEM = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(DER * 4).decode()}\n-----END CERTIFICATE-----\n"
FRAMES = (
    http2.frame(http2.SETTINGS, 0, 0)
    + http2.frame(http2.HEADERS, 4, 1, hpack.encode((("grpc-status", "0"), ("grpc-message", "a%20b"))))
    + http2.frame(http2.DATA, 1, 1, b"\0\0\0\0\5hello")
)
BLOCK = hpack.encode((("a", "b"),)) + b"\x88\x5f\x8b\x1d\x75\xd0\x62\x0d\x26\x3d\x4c\x4d\x65\x64\x00\x83\xff\xff\xff"


def reply(data: bytes) -> t.Any:
    """What the CRI client does with what it receives."""
    found = http2.Reply(1)
    while (item := http2.next_frame(data)) is not None:
        frame, size = item
        http2.reply_to(frame)
        found.add(frame)
        data = data[size:]
    return found.status(), found.message()


def unit(text: str) -> t.Any:
    lines = systemd.directives(text, "/u")
    return systemd.command_flags(lines, dict.fromkeys(systemd.environment_files(lines), text))


def effective(text: str) -> t.Any:
    base = kubelet.document(text)
    return kubelet.settings(base, [base, yaml.load(text)], [Setting(flag, "/f") for flag in text.split("\n")])


def private_key(text: str) -> t.Any:
    return x509.public_half(text.replace("CERTIFICATE", "PRIVATE KEY"))


def certificate(text: str) -> t.Any:
    found = x509.certificates(text)
    return [(x509.signed_by(one, one), x509.belongs(b"", one)) for one in found]


def fold(text: str) -> t.Any:
    return journal.fold(journal.entries(text), False)


def stack(text: str) -> t.Any:
    return journal.fold(journal.kmsg([text, *text.split("\n")]), True)


def sandboxes(data: bytes) -> t.Any:
    return (
        cri.version(data),
        cri.conditions(data),
        cri.cgroup_driver(data),
        cri.running(data),
        cri.sandboxes(data, data),
    )


PARSERS: list[tuple[Parser, t.Any, tuple[type[Exception], ...]]] = [
    (yaml.load, KUBELET + KUBECONFIG, (ParseError,)),
    (kubeconfig.access, KUBECONFIG, (ParseError, kubeconfig.Unusable)),
    (effective, KUBELET, (ParseError, kubelet.Unusable)),
    (unit, UNIT, (ParseError,)),
    (lambda text: [systemd.unit(one, "u", None) for one in systemd.show(text)], SHOW, (ParseError,)),
    (fold, JOURNAL, (ParseError,)),
    (stack, "6,339,5140900,-;oom-kill: x\n SUB=y\n4,1,2,-;Call Trace: 0x12", (ParseError,)),
    (redact.redact, f"token=abc {PEM} Bearer abcdefghijkl https://u:p@h/", ()),
    (
        lambda text: cni.network(text, True),
        '{"name":"n","plugins":[{"type":"bridge","ipam":{"type":"x"}}]}',
        (ParseError,),
    ),
    (lambda text: mounts.missing_of_fstab(FSTAB, mounts.mountinfo(text)), MOUNTS, (ParseError,)),
    (lambda text: mounts.missing_of_fstab(text, ()), FSTAB, (ParseError,)),
    (lambda text: netfiles.default_route(text, text), ROUTE + ROUTE6, (ParseError,)),
    (lambda text: netfiles.addresses(text, text), FIB + INET6, (ParseError,)),
    (procfs.key_values, "MemTotal:  1000 kB\nanon 12\n", ()),
    (procfs.swaps, "Filename Type\n/swap\\040file file 1 2 3\n", (ParseError,)),
    (procfs.pressure, "some avg10=1.50 avg60=0.00\nfull avg10=0.10 avg60=0\n", (ParseError,)),
    (procfs.stat, STAT, (ParseError,)),
    (procfs.load, "0.52 0.58 0.59 1/467 12345\n", (ParseError,)),
    (procfs.os_name, 'NAME=x\nPRETTY_NAME="Debian 13"\n', ()),
    (certificate, PEM, (ParseError,)),
    (private_key, PEM, (ParseError,)),
    (der.children, DER * 3, (ParseError,)),
    (x509.certificate, DER, (ParseError,)),
    (hpack.decode, BLOCK, (ParseError,)),
    (hpack.huffman, b"\x1d\x75\xd0\x62\x0d\x26\x3d\x4c\x4d\x65\x64", (ParseError,)),
    (reply, FRAMES, (ParseError,)),
    (sandboxes, MESSAGE, (ParseError,)),
]
NAMES = [getattr(parser, "__name__", "?") + f"-{number}" for number, (parser, dummy, errors) in enumerate(PARSERS)]
# What breaks readers: nesting, quotes, escapes, digits that are none, numbers that are too long, odd characters.
HOSTILE = (
    *"\"'\\{}[]()<>:;,=-#%&*!|@`~^$ \t\n\r\0\x85\u2028\ufeff\ud800\u00b2\u0663",
    *("null", "true", "- ", ": ", "---\n", "...", '\\"' * 9, "[" * 99, "{" * 99, "9" * 5000, "0x", "1e999", "1.2.3"),
    *("NaN", "Infinity", "-0", "${A}", "%zz", "-----BEGIN X-----", "-----END X-----", "..", "eyJ", "://"),
)


def damaged(source: random.Random, sample: str) -> str:
    """*sample* with a few parts taken out, doubled, swapped for others or for what breaks readers."""
    text = sample
    for dummy in range(source.randint(1, 6)):
        start = source.randint(0, len(text))
        end = min(len(text), start + source.randint(0, 12))
        part = source.choice((*HOSTILE, "", text[start:end] * 2, text[: source.randint(0, 20)]))
        text = text[:start] + part + text[end:]
    return text


def damaged_octets(source: random.Random, sample: bytes) -> bytes:
    """The same for octets, lengths and flags above all."""
    data = bytearray(sample)
    for dummy in range(source.randint(1, 6)):
        at = source.randint(0, len(data))
        part = source.choice((b"", b"\0", b"\xff", b"\x80" * 9, b"\x7f", source.randbytes(source.randint(1, 9))))
        data[at : at + source.randint(0, 4)] = part
    return bytes(data)


def inputs(sample: t.Any) -> t.Iterator[t.Any]:
    source = random.Random(SEED)
    for number in range(ROUNDS):
        if isinstance(sample, bytes):
            yield source.randbytes(number) if number % 8 == 0 else damaged_octets(source, sample)
        elif number % 8 == 0:
            yield "".join(source.choice((*HOSTILE, *"abc019")) for dummy in range(number // 8))
        else:
            yield damaged(source, sample)


@pytest.mark.parametrize(("parser", "sample", "errors"), PARSERS, ids=NAMES)
def test_a_value_or_the_documented_error_and_never_a_hang(
    parser: Parser, sample: t.Any, errors: tuple[type[Exception], ...]
) -> None:
    for data in inputs(sample):
        begin = time.process_time()
        with contextlib.suppress(*errors):
            parser(data)
        assert time.process_time() - begin < SECONDS, data[:2000]


def test_the_samples_themselves_are_read() -> None:
    assert kubeconfig.access(KUBECONFIG).ca_data == b"ABC"
    assert effective(KUBELET).fail_swap_on
    assert [flag.flag for flag in unit(UNIT)][-1] == "--kubeconfig=/y"
    assert reply(FRAMES) == ((0, "a b"), b"hello")
    assert len(fold(JOURNAL).lines) == 2
    assert cri.conditions(MESSAGE)["RuntimeReady"].message == "NotReady: "
    assert netfiles.default_route(ROUTE, "")
    assert netfiles.default_route("", ROUTE6)
    assert netfiles.addresses(FIB, INET6) == ("10.77.0.14", "fd00::1")
    assert procfs.stat(STAT) == ("kube (let)", "S", 1, 5000)
