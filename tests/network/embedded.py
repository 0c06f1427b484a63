# SPDX-License-Identifier: ISC
"""A program with a node in it (libha): one of the examples, on a host of the LAN."""

import os
import pathlib
import signal
import subprocess

from lan import wait_until
from node import BUILD


class Program:
    """Not started yet: Program(folder, host, "examples/example_web", "eth0", "10.77.0.100/24"); the path is
    below the build folder."""

    def __init__(self, folder, host, *command, environment=None):
        self.host, self.name = host, host.name
        self.command = [BUILD / command[0], *command[1:]]
        self.runtime_dir = pathlib.Path(folder) / self.name
        self.output_path = pathlib.Path(folder) / f"{self.name}.out"
        self.environment = {**os.environ, "HA_KEEPER": str(BUILD / "ha-keeper"), "HA_NAME": self.name,
                            "HA_RUNTIME_DIR": str(self.runtime_dir), **(environment or {})}
        self.process = None

    def start(self):
        with open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(self.host.command(*self.command), env=self.environment,
                                            stdin=subprocess.PIPE, stdout=output, stderr=output)
        return self

    def tell(self, *lines):
        """Commands for `obey`."""
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def output(self):
        return self.output_path.read_text(errors="replace") if self.output_path.exists() else ""

    def wait_output(self, text, timeout=10, count=1):
        wait_until(lambda: self.output().count(text) >= count,
                   lambda: f"{text!r} in the output of {self.name}:\n{self.output()}", timeout)

    def signal(self, number):
        self.process.send_signal(number)

    def keeper_pid(self):
        own = self.process.pid
        with open(f"/proc/{own}/task/{own}/children", encoding="ascii") as file:
            for pid in map(int, file.read().split()):
                if pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "ha-keeper":
                    return pid
        return None

    def end(self):
        if self.is_running():
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        if self.process:
            self.process.wait()
            self.process.stdin.close()
