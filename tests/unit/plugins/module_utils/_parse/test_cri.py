# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/2, HPACK and protobuf of the CRI: recorded answers of a real containerd, and garbage."""

from __future__ import annotations

import random
import struct
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse import cri, hpack, http2, protobuf
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

# What containerd 1.6.20 (Debian 12) answered to one call each on a new connection, from its SETTINGS on.
VERSION = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000500000806000000000002041010090e07070000"
    "1001040000000120880f108b1d75d0620d263d4c4d656400002800000000000100000000230a05302e312e30120a636f6e7461696e657264"
    "1a0a312e362e32307e6473312202763100001801050000000100889acac8b21234da8f013000899acac8b5254207317f00"
)
STATUS = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000500000806000000000002041010090e07070000"
    "1001040000000120880f108b1d75d0620d263d4c4d656400007a00000000000100000000750a730a100a0c52756e74696d65526561647910"
    "010a5f0a0c4e6574776f726b52656164791a154e6574776f726b506c7567696e4e6f74526561647922384e6574776f726b20706c7567696e"
    "2072657475726e73206572726f723a20636e6920706c7567696e206e6f7420696e697469616c697a656400001801050000000100889acac8"
    "b21234da8f013000899acac8b5254207317f00"
)
NO_METHOD = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000500000806000000000002041010090e07070000"
    "5901050000000120880f108b1d75d0620d263d4c4d656400889acac8b21234da8f02313200899acac8b5254207317fb0b6aeb51fc54a5254"
    "ce7914db6d493525bc7aa534ca4a7b14416cee62154b2da926a4abf70afb6da926a4bb8b677310bf"
)
NO_SANDBOXES = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000b00000806000000000002041010090e07070000"
    "05000000000001000000000000001801050000000100889acac8b21234da8f013000899acac8b5254207317f00"
)


# containerd 1.7.24 (Debian 13) on a healthy node of the lab with two Pods.
V17_VERSION = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000500000806000000000002041010090e07070000"
    "1001040000000120880f108b1d75d0620d263d4c4d656400002800000000000100000000230a05302e312e30120a636f6e7461696e657264"
    "1a0a312e372e32347e6473312202763100001801050000000100889acac8b21234da8f013000899acac8b5254207317f00"
)
V17_STATUS = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000500000806000000000002041010090e07070000"
    "1001040000000120880f108b1d75d0620d263d4c4d6564000053000000000001000000004e0a4c0a100a0c52756e74696d65526561647910"
    "010a100a0c4e6574776f726b526561647910010a260a22436f6e7461696e6572644861734e6f4465707265636174696f6e5761726e696e67"
    "73100100001801050000000100889acac8b21234da8f013000899acac8b5254207317f00"
)
V17_NO_METHOD = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000500000806000000000002041010090e07070000"
    "4301050000000120880f108b1d75d0620d263d4c4d656400889acac8b21234da8f02313200899acac8b5254207317f9aa4a99cf229b6da92"
    "6a4b78f54a6994a8e950d4d741692d492c9f"
)
V17_SANDBOXES = bytes.fromhex(
    "0000060400000000000005000040000000000401000000000000040800000000000000000b00000806000000000002041010090e07070000"
    "1001040000000120880f108b1d75d0620d263d4c4d6564000390000000000001000000038b0ab8030a403531393834336562373961613366"
    "393561323036383365623935376166623733366264336263313038336531666262373435353336343366666663633839396412450a147765"
    "622d376664643462626266372d6a6b677672122437393438393239362d616630642d343136632d626239342d383533663164623039353735"
    "1a0764656661756c7420acd1dcdaedc8b2f5182a0a0a0361707012037765622a3d0a15696f2e6b756265726e657465732e706f642e756964"
    "122437393438393239362d616630642d343136632d626239342d3835336631646230393537352a260a1b696f2e6b756265726e657465732e"
    "706f642e6e616d657370616365120764656661756c742a2e0a16696f2e6b756265726e657465732e706f642e6e616d6512147765622d3766"
    "64643462626266372d6a6b6776722a1f0a11706f642d74656d706c6174652d68617368120a37666464346262626637323b0a196b75626572"
    "6e657465732e696f2f636f6e6669672e7365656e121e323032362d31312d32335432313a33363a34302e3232323030313634395a32220a1b"
    "6b756265726e657465732e696f2f636f6e6669672e736f7572636512036170690acd030a4065656334373062313934313838346239393137"
    "393632663637386339336262363964643465323565326635323635653736303464633835336666396262663032123c0a0b6167656e742d37"
    "76723776122436386434346334322d383566382d343365332d616332312d6566353137343165383061661a0764656661756c7420d1bb95fd"
    "ec8eb3f5182a0c0a0361707012056167656e742a3d0a15696f2e6b756265726e657465732e706f642e756964122436386434346334322d38"
    "3566382d343365332d616332312d6566353137343165383061662a260a1b696f2e6b756265726e657465732e706f642e6e616d6573706163"
    "65120764656661756c742a250a16696f2e6b756265726e657465732e706f642e6e616d65120b6167656e742d37767237762a1c0a17706f64"
    "2d74656d706c6174652d67656e65726174696f6e1201312a260a18636f6e74726f6c6c65722d7265766973696f6e2d68617368120a353937"
    "35356363343562323b0a196b756265726e657465732e696f2f636f6e6669672e7365656e121e323032362d31312d32335432323a31363a34"
    "382e3337373730333836355a32220a1b6b756265726e657465732e696f2f636f6e6669672e736f7572636512036170690000180105000000"
    "0100889acac8b21234da8f013000899acac8b5254207317f00"
)


def reply(data: bytes, stream: int = 1) -> http2.Reply:
    """All frames of a recording, taken in one after the other."""
    found = http2.Reply(stream)
    while True:
        step = http2.next_frame(data)
        if step is None:
            return found
        frame, size = step
        found.add(frame)
        data = data[size:]


def test_version_of_a_real_containerd() -> None:
    answer = reply(VERSION)
    assert (answer.ended, answer.status()) == (True, (0, ""))
    assert cri.version(answer.message()) == "containerd 1.6.20~ds1"


def test_a_healthy_containerd_of_the_lab() -> None:
    assert cri.version(reply(V17_VERSION).message()) == "containerd 1.7.24~ds1"
    names = ("RuntimeReady", "NetworkReady", "ContainerdHasNoDeprecationWarnings")
    assert cri.conditions(reply(V17_STATUS).message()) == dict.fromkeys(names, (True, None))
    assert cri.ready(reply(V17_SANDBOXES).message()) == 2
    assert reply(V17_NO_METHOD).status() == (12, "method RuntimeConfig not implemented")


def test_conditions_of_a_real_containerd_without_cni() -> None:
    assert cri.conditions(reply(STATUS).message()) == {
        "RuntimeReady": (True, None),
        "NetworkReady": (
            False,
            "NetworkPluginNotReady: Network plugin returns error: cni plugin not initialized",
        ),
    }


def test_a_method_that_containerd_does_not_know() -> None:
    assert reply(NO_METHOD).status() == (12, "unknown method RuntimeConfig for service runtime.v1.RuntimeService")


def test_no_sandboxes() -> None:
    assert cri.ready(reply(NO_SANDBOXES).message()) == 0


def test_counts_and_the_cgroup_driver() -> None:
    two = protobuf.embedded(1, protobuf.enum(3, 0)) + protobuf.embedded(1, b"") + protobuf.embedded(2, b"")
    assert cri.ready(two + protobuf.embedded(1, protobuf.enum(3, 1))) == 2
    assert cri.running(protobuf.embedded(1, protobuf.enum(6, 1)) + protobuf.embedded(1, protobuf.enum(6, 2))) == 1
    assert cri.cgroup_driver(protobuf.embedded(1, b"")) == "systemd"  # the enum's 0 is left out
    assert cri.cgroup_driver(protobuf.embedded(1, protobuf.enum(1, 1))) == "cgroupfs"
    assert cri.cgroup_driver(b"") is None


def test_sandboxes_of_a_real_containerd() -> None:
    web, agent = cri.sandboxes(reply(V17_SANDBOXES).message())
    assert (web.uid, web.namespace, web.name) == (
        "79489296-af0d-416c-bb94-853f1db09575",
        "default",
        "web-7fdd4bbbf7-jkgvr",
    )
    assert (agent.name, agent.ready, agent.attempt, agent.source) == ("agent-7vr7v", True, 0, "api")
    assert agent.created == datetime(2026, 11, 23, 22, 16, 52, tzinfo=UTC)
    assert len(web.id) == len(agent.id) == 64


def test_containers_belong_to_their_sandbox() -> None:
    """Field numbers of Container and ContainerMetadata: api.proto of cri-api v0.37.2."""
    number, field = protobuf.enum, protobuf.embedded
    metadata = field(1, b"app") + number(2, 3)
    containers = field(1, field(1, b"c1") + field(2, b"s1") + field(3, metadata) + number(6, 2) + number(7, 0))
    strange = field(1, field(1, b"c2") + field(2, b"s1") + number(6, 9))
    listed = field(1, field(1, b"s1") + field(2, field(1, b"web") + field(3, b"default") + number(4, 1)) + number(3, 1))
    (found,) = cri.sandboxes(listed, containers + strange)
    assert (found.name, found.namespace, found.attempt, found.ready, found.uid) == ("web", "default", 1, False, "")
    assert [(c.name, c.attempt, c.state) for c in found.containers] == [("app", 3, "exited"), ("", 0, "unknown")]


def test_a_time_that_is_none() -> None:
    with pytest.raises(ParseError):
        cri.sandboxes(protobuf.embedded(1, bytes.fromhex("20ffffffffffffffffff01")))


def test_a_long_field_has_a_long_length() -> None:
    assert protobuf.embedded(2, b"x" * 127)[:2] == b"\x12\x7f"
    assert protobuf.embedded(2, b"x" * 300)[:3] == b"\x12\xac\x02"
    assert list(protobuf.fields(protobuf.embedded(2, b"x" * 40000))) == [(2, b"x" * 40000)]


def text(number: int, words: str) -> str:
    """A short string field in hexadecimal."""
    return f"{number << 3 | 2:02x}{len(words):02x}{words.encode().hex()}"


def test_the_request_for_a_sandbox_is_octet_by_octet_what_api_proto_says() -> None:
    """Field numbers: api.proto of cri-api v0.37.2 (RunPodSandboxRequest and what is below it)."""
    metadata = text(1, "outward-probe") + text(2, "uid-1") + text(3, "outward-probe")
    label = text(1, "outward.kubelet/probe") + text(2, "true")
    # linux (8): cgroup_parent (1), security_context (2): namespace_options (1) with pid (2) CONTAINER; seccomp (9)
    linux = text(1, "/kubepods.slice/kubepods-besteffort.slice") + "1206" + "0a021001" + "4a00"
    config = (
        f"0a{len(metadata) // 2:02x}{metadata}"
        + text(2, "outward-probe")
        + "220b"  # dns_config (4)
        + text(1, "127.0.0.1")
        + f"32{len(label) // 2:02x}{label}"
        + f"42{len(linux) // 2:02x}{linux}"
    )
    size = len(config) // 2
    assert 128 <= size < 256  # the length takes two octets, least significant group first
    expected = f"0a{size & 0x7F | 0x80:02x}01{config}"
    assert cri.sandbox_request("uid-1", "/kubepods.slice/kubepods-besteffort.slice").hex() == expected


def test_our_own_sandboxes_are_found_by_their_label() -> None:
    assert (
        cri.OUR_SANDBOXES.hex()
        == "0a" + "1f" + "1a1d" + "0a15" + b"outward.kubelet/probe".hex() + "1204" + b"true".hex()
    )
    assert cri.sandbox_named("abc") == b"\x0a\x03abc"
    assert cri.sandbox_id(b"\x0a\x03abc") == "abc"


def test_settings_and_pings_are_answered() -> None:
    assert http2.reply_to(http2.Frame(http2.SETTINGS, 0, 0, b"")) == bytes.fromhex("000000040100000000")
    assert http2.reply_to(http2.Frame(http2.SETTINGS, http2.ACK, 0, b"")) == b""
    assert http2.reply_to(http2.Frame(http2.PING, 0, 0, b"12345678")).endswith(b"12345678")


def test_another_stream_is_none_of_ours() -> None:
    assert not reply(VERSION, stream=3).ended


# RFC 7541 appendix C.4 and C.6
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
        ("a8eb10649cbf", "no-cache"),
        ("25a849e95ba97d7f", "custom-key"),
        ("25a849e95bb8e8b4bf", "custom-value"),
        ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
        ("", ""),
    ],
)
def test_huffman(data: str, text: str) -> None:
    assert hpack.huffman(bytes.fromhex(data)).decode() == text


@pytest.mark.parametrize("data", ["ffffffff", "f1e3c2e5f23a6ba0ab90f4ffff", "00", "f1e3c0"])
def test_huffman_with_a_wrong_end(data: str) -> None:
    with pytest.raises(ParseError):
        hpack.huffman(bytes.fromhex(data))


def test_headers_there_and_back() -> None:
    headers = [(":method", "POST"), ("te", "trailers"), ("x", "")]
    assert hpack.decode(hpack.encode(headers)) == headers


# RFC 7541 appendix C.2 and C.3
@pytest.mark.parametrize(
    ("block", "headers"),
    [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [("custom-key", "custom-header")]),
        ("040c2f73616d706c652f70617468", [(":path", "/sample/path")]),
        ("100870617373776f726406736563726574", [("password", "secret")]),
        ("88", [(":status", "200")]),
        ("20", []),
    ],
)
def test_header_blocks(block: str, headers: list[tuple[str, str]]) -> None:
    assert hpack.decode(bytes.fromhex(block)) == headers


@pytest.mark.parametrize("block", ["80", "be", "ff", "3fe11f", "0f", "000a61", "00", "7fffffffffff"])
def test_broken_header_blocks(block: str) -> None:
    with pytest.raises(ParseError):
        hpack.decode(bytes.fromhex(block))


@pytest.mark.parametrize(
    "message", ["08", "0a05616263", "00", "0b", "ffffffffffffffffffffff01", "0d000000", "07", "0affffffffffffffff7f"]
)
def test_broken_messages(message: str) -> None:
    with pytest.raises(ParseError):
        list(protobuf.fields(bytes.fromhex(message)))


def test_fixed_fields_are_passed_over() -> None:
    assert list(protobuf.fields(bytes.fromhex("0d010203040a0161"))) == [(1, b"\x01\x02\x03\x04"), (1, b"a")]


@pytest.mark.parametrize(
    "frames",
    [
        http2.frame(http2.GOAWAY, 0, 0, b"12345678"),
        http2.frame(http2.RST_STREAM, 0, 1, b"1234"),
        http2.frame(http2.DATA, http2.PADDED, 1, b"\x05abc"),
        http2.frame(http2.DATA, http2.PADDED, 1, b""),
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28 a TLS alert",
    ],
)
def test_what_is_no_answer_is_an_error(frames: bytes) -> None:
    with pytest.raises(ParseError):
        reply(frames).status()


def test_continuation_and_padding() -> None:
    block = hpack.encode([("grpc-status", "4"), ("grpc-message", "context%20deadline%20%C3%A9")])
    frames = http2.frame(
        http2.HEADERS, http2.END_STREAM | http2.PADDED | http2.PRIORITY, 1, b"\x02" + b"prior" + block[:9] + b"\0\0"
    ) + http2.frame(http2.CONTINUATION, http2.END_HEADERS, 1, block[9:])
    assert reply(frames).status() == (4, "context deadline é")


@pytest.mark.parametrize("body", [b"", b"\1\0\0\0\0", b"\0\0\0\0\5abc", b"\0\0\0\0\0abc"])
def test_a_message_that_is_not_one(body: bytes) -> None:
    with pytest.raises(ParseError):
        reply(http2.frame(http2.DATA, http2.END_STREAM, 1, body)).message()


def _all_of_it(data: bytes) -> t.Any:
    answer = reply(data)
    answer.status()
    return cri.version(answer.message()), cri.conditions(answer.message()), cri.sandboxes(answer.message())


def test_damaged_recordings_end_in_an_error_or_an_answer() -> None:
    """Truncated, flipped, doubled: nothing but ParseError ever comes out."""
    source = random.Random(7)
    for recording in (VERSION, STATUS, NO_METHOD):
        for length in range(len(recording)):
            _survives(recording[:length])
        for dummy in range(400):
            data = bytearray(recording)
            for dummy in range(source.randint(1, 6)):
                data[source.randrange(len(data))] = source.randrange(256)
            _survives(bytes(data))


def test_noise_ends_in_an_error() -> None:
    source = random.Random(8)
    for dummy in range(500):
        noise = source.randbytes(source.randint(0, 300))
        _survives(noise)
        _survives(http2.frame(http2.HEADERS, 5, 1, noise))
        _survives(
            struct.pack(">I", len(noise))[1:]
            + bytes((source.randrange(10), source.randrange(64)))
            + b"\0\0\0\1"
            + noise
        )


def _survives(data: bytes) -> None:
    try:
        _all_of_it(data)
    except ParseError:
        return
