# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection, through the real client, to a server on this machine."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._kube import library, refusal
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import PAGE, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, NotThere, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.listing import NODES, VERSION
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.poll import NODE
from tests.unit.api_server import FakeApi, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as fake:
        yield fake


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    where = tmp_path_factory.mktemp("tls")
    command = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = where / "crt.pem", where / "key.pem"
    subprocess.run(["openssl", *command, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


def access(api: FakeApi, **more: t.Any) -> Access:
    return Access(host=api.url, api_key="secret-token", **more)


def test_an_answer_its_token_and_its_clock(api: FakeApi) -> None:
    with connect(access(api), {}) as connection:
        assert connection.ask(VERSION) == {"gitVersion": "v1.37.2"}
        evidence = connection.evidence("v1.37.2")
    assert api.tokens == {"Bearer secret-token"}
    assert evidence.now is not None
    assert evidence.now.isoformat() == "2026-11-23T15:00:00+00:00"
    assert (evidence.server, evidence.reachable, evidence.problem) == (api.url, True, None)


def test_an_object_that_is_not_there(api: FakeApi) -> None:
    with connect(access(api), {}) as connection, pytest.raises(NotThere):
        connection.ask(NODE, "pi-99")


def test_a_long_list_comes_in_pages(api: FakeApi) -> None:
    api.lists["/api/v1/nodes"] = [{"number": number} for number in range(2 * PAGE + 1)]
    with connect(access(api), {}) as connection:
        pages = list(connection.pages(NODES))
        assert connection.calls == 3
    assert [len(page) for page in pages] == [PAGE, PAGE, 1]
    assert [item["number"] for page in pages for item in page] == list(range(2 * PAGE + 1))


@pytest.mark.parametrize("body", ["<html>log in</html>", "[]"])
def test_what_answers_is_no_api_server(api: FakeApi, body: str) -> None:
    api.refusals["/version"] = (200, body)
    with connect(access(api), {}) as connection, pytest.raises(KubeError, match=r"is it an API server"):
        connection.ask(VERSION)


def test_an_error_is_not_tried_again(api: FakeApi) -> None:
    api.refusals["/version"] = (503, '{"message": "shutting down"}')
    with connect(access(api), {}) as connection, pytest.raises(Silent, match=r"503 to get /version .shutting down"):
        connection.ask(VERSION)
    assert api.asked == ["/version"]


def test_nobody_listens() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with (
            connect(Access(host=host, api_key="x"), {}) as connection,
            pytest.raises(Silent, match=r"^connection refused"),
        ):
            connection.ask(VERSION)


def test_a_frozen_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "READ_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        host = f"http://127.0.0.1:{frozen.getsockname()[1]}"
        with (
            connect(Access(host=host, api_key="x"), {}) as connection,
            pytest.raises(Silent, match=r"no answer in time"),
        ):
            connection.ask(VERSION)


def test_a_name_that_does_not_resolve() -> None:
    nowhere = Access(host="https://no-such-host.invalid:6443", api_key="x")
    with connect(nowhere, {"NO_PROXY": "*"}) as connection, pytest.raises(Silent, match=r"name does not resolve"):
        connection.ask(VERSION)


def test_a_certificate_of_somebody_else(certificate: tuple[Path, Path]) -> None:
    with serving(certificate) as api:
        with connect(access(api), {}) as connection, pytest.raises(KubeError, match=r"self-signed.*another cluster"):
            connection.ask(VERSION)
        with connect(access(api, ca_cert=str(certificate[0])), {}) as connection:
            assert connection.ask(VERSION)
        with connect(Access(host=api.url, api_key="x", validate_certs=False), {}) as connection:
            assert connection.ask(VERSION)


def test_a_kubeconfig_and_what_overrides_it(api: FakeApi, tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path, {"server": "https://elsewhere:6443"}, {"token": "of-the-file"})
    with connect(Access(kubeconfig=str(path), host=api.url), {}) as connection:
        connection.ask(VERSION)
    with connect(Access(host=api.url, context="lab"), {"KUBECONFIG": str(path)}) as connection:
        connection.ask(VERSION)
    with connect(Access(host=api.url, api_key="explicit", kubeconfig=str(path)), {}) as connection:
        connection.ask(VERSION)
    assert api.tokens == {"Bearer of-the-file", "Bearer explicit"}


def test_keys_of_a_kubeconfig_do_not_stay_on_the_disk(
    certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = [base64.b64encode(file.read_bytes()).decode() for file in certificate]
    user = {"client-certificate-data": data[0], "client-key-data": data[1]}
    with serving(certificate) as api:
        cluster = {"server": api.url, "certificate-authority-data": data[0]}
        path = write_kubeconfig(tmp_path, cluster, user)
        for _again in range(2):  # the client remembers the names of its files
            with connect(Access(kubeconfig=str(path)), {}) as connection:
                assert connection.ask(VERSION)
                assert len(list(tmp_path.rglob("*"))) > 3
            assert list(tmp_path.rglob("*")) == [path]


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"client-certificate": "/no/such.crt", "client-key": "/no/such.key"}, "File does not exist: /no/such.crt"),
        ({"client-certificate-data": "hidden=", "client-key-data": "x"}, "cannot be used"),
    ],
)
def test_credentials_that_cannot_be_read(tmp_path: Path, user: dict[str, str], message: str) -> None:
    path = write_kubeconfig(tmp_path, {"server": "https://10.77.0.1:6443"}, user)
    with pytest.raises(KubeError, match=message) as caught, connect(Access(kubeconfig=str(path)), {}):
        pass
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("host", ["10.77.0.1:6443", "https://", "https://[bad", "https://user:word@host", "ftp://x"])
def test_a_host_that_is_no_url(host: str) -> None:
    with pytest.raises(KubeError, match=r"must be a URL like https://"), connect(Access(host=host, api_key="x"), {}):
        pass


def test_a_file_that_is_not_there(api: FakeApi) -> None:
    with (
        pytest.raises(KubeError, match=r"/no/ca.pem of the option ca_cert"),
        connect(access(api, ca_cert="/no/ca.pem"), {}),
    ):
        pass


def test_the_client_is_missing_or_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "version", "12.0.1")
    with pytest.raises(KubeError, match=r"is 12.0.1, too old; install it for .*kubernetes>=35.0.0"):
        library.require()
    monkeypatch.setattr(library, "MISSING", "No module named 'kubernetes'")
    with pytest.raises(KubeError, match=r"missing on the controller .*pip install"), connect(Access(), {}):
        pass


def test_options_become_access() -> None:
    options = {"host": "https://x", "api_key": "", "validate_certs": False, "unrelated": 1, "kubeconfig": None}
    assert Access.of(options) == Access(host="https://x", validate_certs=False)
    assert "hidden" not in repr(Access(api_key="hidden"))


def write_kubeconfig(where: Path, cluster: dict[str, str], user: dict[str, str]) -> Path:
    """A kubeconfig with one context, lab."""
    document = {
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
    }
    path = where / "kubeconfig"
    path.write_text(json.dumps(document))
    return path
