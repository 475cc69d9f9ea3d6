# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A connection to the API server through the official client: short time-outs, no hidden retries, no files left."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import typing as t
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from .._diagnosis.cluster import ApiServer
from . import kubeconfig, library, refusal, scratch
from .errors import KubeError
from .options import Access

JSON = t.Any
# A path is allowed: a proxy like Rancher's has the API below one.
URL: t.Final = re.compile(r"https?://([^\s/\[\]@]+|\[[0-9a-fA-F:.]+\](:[0-9]+)?)(/[^\s?#]*)?")
MERGE_PATCH: t.Final = "application/merge-patch+json"
PAGE: t.Final = 500  # objects in one answer: kubectl's --chunk-size


class Api:
    """Asks and writes; remembers how often, and what time the API server had at the last answer."""

    def __init__(self, client: t.Any, peer: refusal.Peer) -> None:
        self.peer = peer
        self.calls = 0
        self.now: datetime | None = None  # the Date header of the last answer
        self.controller_now = datetime.now(timezone.utc)  # our own clock when it came
        self._client = client

    def ask(self, question: refusal.Question, name: str = "", **parameters: t.Any) -> JSON:
        """The answer as plain JSON data. Raises KubeError, Silent, and NotThere for a verb that gets one object.

        Through the client's own connections and credentials, without its classes for each API: to import those of the
        core API alone costs a second and 20 MiB, and a page of Pods as model objects nine times the time and three
        times the memory of the JSON (client 37.0.2).
        """
        return self._send("GET", question, name, fields=parameters)

    def create(self, question: refusal.Question, body: JSON) -> JSON:
        """The new object. Raises Conflict when there is one of that name already, KubeError and Silent."""
        return self._send("POST", question, body=body)

    def update(self, question: refusal.Question, name: str, body: JSON) -> JSON:
        """The object as it is now. Raises Conflict when the one in *body* is not the newest, NotThere, KubeError, Silent."""
        return self._send("PUT", question, name, body=body)

    def patch(self, question: refusal.Question, name: str, body: JSON) -> JSON:
        """As :meth:`update`, by a merge patch (RFC 7386): what it does not name is left; with a resourceVersion in it, it
        is refused unless that is the newest.
        """
        return self._send("PATCH", question, name, body=body)

    def delete(self, question: refusal.Question, name: str, uid: str = "") -> None:
        """With *uid*, no other object of that name. Raises Conflict when there is another one, NotThere, KubeError, Silent."""
        self._send("DELETE", question, name, body={"preconditions": {"uid": uid}} if uid else None)

    def _send(
        self,
        method: str,
        question: refusal.Question,
        name: str = "",
        fields: Mapping[str, t.Any] | None = None,
        body: JSON = None,
    ) -> JSON:
        status, data = self.exchange(method, question, name, fields, body)
        if status not in (200, 201):
            raise refusal.answer(self.peer, question, status, data.decode("utf-8", "replace"))
        return self._decode(question, data)

    def exchange(
        self,
        method: str,
        question: refusal.Question,
        name: str = "",
        fields: Mapping[str, t.Any] | None = None,
        body: JSON = None,
    ) -> tuple[int, bytes]:
        """Status and body of whatever is answered. Raises KubeError and Silent for a connection that breaks."""
        url = f"{self.peer.server}{question.path}{'/' if name else ''}{quote(name, safe='')}"
        content = {} if body is None else {"body": json.dumps(body).encode()}
        kind = {} if body is None else {"Content-Type": MERGE_PATCH if method == "PATCH" else "application/json"}
        self.calls += 1
        try:
            response = self._client.rest_client.pool_manager.request(
                method,
                url,
                fields=fields,
                headers={**self._headers(), **kind},
                timeout=library.Timeout(connect=refusal.CONNECT_TIMEOUT, read=refusal.READ_TIMEOUT),
                redirect=False,
                **content,
            )
        except library.transport.HTTPError as error:
            raise refusal.broken(self.peer, error) from error
        self._note(response.headers.get("Date"))
        return response.status, response.data

    def pages(self, question: refusal.Question, selector: str = "") -> Iterator[list[JSON]]:
        """The items of a list by a field selector, :data:`PAGE` at a time; nothing of a page is kept."""
        parameters: dict[str, t.Any] = {"limit": PAGE, **({"fieldSelector": selector} if selector else {})}
        while True:
            page = self.ask(question, **parameters)
            yield page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            parameters["continue"] = token

    def cluster(self) -> JSON:
        """The cluster as a kubeconfig names it, with the certificates to check it by; nothing of the credentials."""
        configuration = self._client.configuration
        authority = Path(configuration.ssl_ca_cert).read_bytes() if configuration.ssl_ca_cert else b""
        found = {
            "server": self.peer.server,
            "certificate-authority-data": base64.b64encode(authority).decode("ascii"),
            "insecure-skip-tls-verify": not configuration.verify_ssl,
            "tls-server-name": getattr(configuration, "tls_server_name", None),
            "proxy-url": configuration.proxy,
        }
        return {name: value for name, value in found.items() if value}

    def evidence(self, version: str | None, problem: str | None = None) -> ApiServer:
        """The API server as it was found; with a *problem* it has no time."""
        now = None if problem else self.now
        moment = datetime.now(timezone.utc) if problem else self.controller_now
        return ApiServer(self.peer.server, problem is None, problem, version, now, moment)

    def _headers(self) -> dict[str, str]:
        settings = self._client.configuration.auth_settings().values()
        credentials = {setting["key"]: setting["value"] for setting in settings if setting["in"] == "header"}
        return {"User-Agent": "outward.kubelet", "Accept": "application/json", **credentials}

    def _note(self, date: str | None) -> None:
        self.controller_now = datetime.now(timezone.utc)
        try:
            self.now = parsedate_to_datetime(date) if date else None
        except ValueError:
            self.now = None

    def _decode(self, question: refusal.Question, body: bytes) -> JSON:
        try:
            data = json.loads(body)
        except ValueError as error:
            raise KubeError(f"{self.peer.server} answers {question} with no JSON: is it an API server?") from error
        if not isinstance(data, dict):
            raise KubeError(f"{self.peer.server} answers {question} with no object: is it an API server?")
        return data


@contextlib.contextmanager
def connect(access: Access, environ: Mapping[str, str] | None = None) -> Iterator[Api]:
    """An :class:`Api`; nothing is asked yet. Raises :class:`KubeError` for what a person must mend."""
    library.require()
    # The client writes keys of a kubeconfig into temporary files and removes them atexit, which Ansible's
    # worker processes never reach: they get a directory that goes with the connection.
    with scratch.directory() as directory:
        configuration = library.client.Configuration()
        credentials = _load(access, os.environ if environ is None else environ, configuration, directory)
        _override(access, configuration)
        # The hook would put the kubeconfig's host and certificates back before each call. Its purpose, a new token
        # for an expired one, is served by loading the kubeconfig anew for each connection, which is short.
        configuration.refresh_api_key_hook = None
        configuration.retries = False  # urllib3 would try four times and hide the time that it took
        if not configuration.verify_ssl:  # a person has said so; a warning for each call tells nothing new
            warnings.filterwarnings("ignore", category=library.transport.InsecureRequestWarning)
        client = library.client.ApiClient(configuration)
        try:
            yield Api(client, refusal.Peer(str(configuration.host).rstrip("/"), credentials))
        finally:
            client.close()


def _load(access: Access, environ: Mapping[str, str], configuration: t.Any, directory: str) -> str:
    """Fill *configuration* from a kubeconfig, if one is needed; return what to call the credentials."""
    if access.complete:
        return "the option api_key" if access.api_key else f"the option client_cert ({access.client_cert})"
    paths = kubeconfig.locate(access.kubeconfig, environ)
    context = kubeconfig.choose(paths, access.context)
    names = os.pathsep.join(str(path) for path in paths)
    try:
        library.config.load_kube_config(
            config_file=names,
            context=context,
            client_configuration=configuration,
            persist_config=False,
            temp_file_path=directory,
        )
    except (library.config.ConfigException, ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise KubeError(f"the kubeconfig {names} cannot be used: {_harmless(error)}") from error
    return "the option api_key" if access.api_key else names


def _override(access: Access, configuration: t.Any) -> None:
    """What was given explicitly counts more than the kubeconfig."""
    for option, path in (
        ("client_cert", access.client_cert),
        ("client_key", access.client_key),
        ("ca_cert", access.ca_cert),
    ):
        if path and not Path(path).is_file():
            raise KubeError(f"the file {path} of the option {option} does not exist on the controller")
    if access.host and not URL.fullmatch(access.host):
        raise KubeError(f"the option host is {access.host}: it must be a URL like https://10.77.0.1:6443")
    given = {
        "host": access.host,
        "cert_file": access.client_cert,
        "key_file": access.client_key,
        "ssl_ca_cert": access.ca_cert,
        "verify_ssl": access.validate_certs,
        "proxy": access.proxy,
        "no_proxy": access.no_proxy,
    }
    for name, value in given.items():
        if value is not None:
            setattr(configuration, name, value)
    if access.api_key:
        for name in ("BearerToken", "authorization"):  # the second: releases before 37
            configuration.api_key[name] = f"Bearer {access.api_key}"
        configuration.cert_file = access.client_cert
        configuration.key_file = access.client_key


def _harmless(error: Exception) -> str:
    """The text without what the client quotes of the file after it, which may be a secret."""
    return " ".join(str(error).partition("{")[0].split())[:200] or type(error).__name__
