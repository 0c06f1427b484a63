# SPDX-License-Identifier: ISC
"""The exporter of a node, asked by HTTP from its host; and the rules of Prometheus's text format."""

import contextlib
import re
import socket
import subprocess

from lan import wait_until
from node import HA

PORT = 9955
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')


class Exporter:
    def __init__(self, node, listen=f"127.0.0.1:{PORT}"):
        self.host = node.host
        self.log_path = node.runtime_dir.parent / f"{node.name}-exporter.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                node.host.command(HA, "exporter", "--listen", listen, "--runtime-dir", node.runtime_dir),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: "listens on" in self.log() or self.process.poll() is not None,
                   lambda: f"the exporter listens: {self.log()}")
        assert self.process.poll() is None, self.log()

    def log(self):
        return self.log_path.read_text()

    def connect(self):
        """A connection from a program on the node's host."""
        return self.host.call(socket.create_connection, ("127.0.0.1", PORT), 10)

    def get(self, path, method="GET", host="127.0.0.1", **headers):
        """(status, headers, body)"""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{PORT}", "Connection: close",
                 *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        with self.connect() as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
        return int(first.split()[1]), fields, body.decode()

    @contextlib.contextmanager
    def events(self, first=b""):
        """Lines of /events as they come."""
        with self.connect() as connection:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n" + first + b"\r\n")
            with connection.makefile(encoding="utf-8", newline="") as lines:
                yield lines

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)


def parse_metrics(text):
    """{name: {labels: value}}; asserts what the format and its conventions ask for."""
    samples, types, helps = {}, {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert name not in helps and words[0].isupper() | words[0].isdigit() and words.endswith("."), line
            helps.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split()
            assert name not in types and kind in ("gauge", "counter", "histogram")
            assert name.endswith("_total") == (kind == "counter"), f"{name} is a {kind}"
            assert not re.search(r"_(ms|us|ns|milliseconds|microseconds)(_|$)", name), f"{name}: base units"
            types[name] = kind
        else:
            name, labels, value = SAMPLE.match(line).groups()
            family = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
            assert family in types and family in helps, f"{name} has a HELP and a TYPE before it"
            assert labels not in samples.setdefault(name, {}), f"{line} is there once"
            samples[name][labels] = float(value)
    return samples
