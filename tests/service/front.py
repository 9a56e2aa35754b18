"""nginx and HAProxy with our sample files, on ports and with certificates of a test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from secure import Site

from tests.ports import free_port

CONFIG = Path(__file__).parents[2] / "config"
_POLL = 0.02
_STARTS_WITHIN = 60
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")

NGINX_AROUND = """\
daemon off;
{user}
pid {place}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    include {place}/leasehold.conf;
}}
"""


class Front:
    """A reverse proxy that listens on ``port`` for HTTPS and passes requests on to ``behind``."""

    def __init__(self, site: Site, behind: int) -> None:
        self.site = site
        self.behind = behind
        self.port = free_port()
        self.place = site.directory / "front"
        self.place.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return as soon as something listens on its port."""
        with (self.place / "output.log").open("wb") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.place)
        for _ in range(int(_STARTS_WITHIN / _POLL)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_POLL)
                break
        raise AssertionError(f"It does not listen on {self.port}:\n{(self.place / 'output.log').read_text()}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def command(self) -> list[str]:
        """What has to be run, with its files written."""
        raise NotImplementedError


class Nginx(Front):
    """``config/nginx.conf``."""

    def command(self) -> list[str]:
        """What has to be run, with its files written."""
        program = _program("nginx")
        sample = _adapted(
            (CONFIG / "nginx.conf").read_text(),
            {
                "127.0.0.1:8000;": f"127.0.0.1:{self.behind};",
                "listen 8443 ssl": f"listen 127.0.0.1:{self.port} ssl",
                "/etc/leasehold/certificate.pem": str(self.site.certificate),
                "/etc/leasehold/key.pem": str(self.site.key),
                "/etc/leasehold/ca.pem": str(self.site.ca),
            },
        )
        (self.place / "leasehold.conf").write_text(sample)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.place / "nginx.conf").write_text(NGINX_AROUND.format(place=self.place, user=user))
        return [program, "-p", str(self.place), "-c", str(self.place / "nginx.conf"), "-e", "stderr"]


class HAProxy(Front):
    """``config/haproxy.cfg``."""

    def command(self) -> list[str]:
        """What has to be run, with its files written."""
        program = _program("haproxy")
        pair = self.place / "proxy.pem"
        pair.write_bytes(self.site.certificate.read_bytes() + self.site.key.read_bytes())
        sample = _adapted(
            (CONFIG / "haproxy.cfg").read_text(),
            {
                "server leasehold 127.0.0.1:8000": f"server leasehold 127.0.0.1:{self.behind}",
                "bind :8443 ssl": f"bind 127.0.0.1:{self.port} ssl",
                "/etc/leasehold/proxy.pem ca-file": f"{pair} ca-file",
                "/etc/leasehold/ca.pem": str(self.site.ca),
            },
        )
        (self.place / "haproxy.cfg").write_text(sample)
        return [program, "-db", "-f", str(self.place / "haproxy.cfg")]


def _adapted(sample: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert sample.count(old) == 1, f"{old!r} stands in the sample {sample.count(old)} times"
        sample = sample.replace(old, new)
    return sample


def _program(name: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), *_SBIN])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
