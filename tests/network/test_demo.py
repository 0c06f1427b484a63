# SPDX-License-Identifier: ISC
"""`ha demo` as a first user meets it: it tells the truth by its exit status, and leaves nothing behind."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HA_BUILD", ROOT / "build"))
HA = BUILD / "ha"

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make namespaces"), pytest.mark.alone]

STEPS = ["all three servers start", "alpha's cable is cut", "kill -9 of beta's engine",
         "alpha's cable is back", "alpha is told to stop", "alpha starts again"]
HOLDERS = ["alpha", "beta", "beta", "alpha", "beta", "alpha"]


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(child)]
    return found


def namespace(pid, kind):
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return None


def inhabitants(namespaces):
    """Processes that live in one of these."""
    return [entry for entry in os.listdir("/proc") if entry.isdigit()
            and (namespace(entry, "pid") in namespaces or namespace(entry, "net") in namespaces)]


def own_namespaces(demo):
    """The namespaces of the demo's processes that are not ours."""
    ours = {namespace("self", "pid"), namespace("self", "net")}
    return {namespace(pid, kind) for pid in descendants(demo) for kind in ("pid", "net")} - ours - {None}


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.02)


def test_the_whole_demo_ends_well():
    done = subprocess.run([HA, "demo", "--plain"], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "" and "\x1b" not in done.stdout
    table = done.stdout[done.stdout.index("what is done"):].splitlines()[1:]
    for line, step, holder in zip(table, STEPS, HOLDERS):
        assert line.strip().startswith(step) and f"-> {holder}" in line, line
    cut = re.search(r"alpha's cable is cut .* (\d+) ms \((\d+)\) +(\d+) ms \((\d+)\)", done.stdout)
    assert all(200 <= int(ms) <= 400 for ms in (cut[1], cut[3])), cut[0]


@pytest.mark.parametrize("victim", ["itself", "its first process"])
def test_nothing_is_left_behind_by_a_killed_demo(victim):
    demo = subprocess.Popen([HA, "demo", "--plain"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    while "ACTIVE" not in demo.stdout.readline():
        assert demo.poll() is None
    namespaces = own_namespaces(demo.pid)
    assert len(namespaces) == 5, "a process namespace, the switch and three servers"
    if victim == "itself":
        demo.kill()
    else:
        os.kill(descendants(demo.pid)[0], signal.SIGKILL)
    wait_until(lambda: not inhabitants(namespaces))
    demo.communicate()
    assert demo.returncode != 0


def test_control_c_ends_the_demo_and_everything_in_it():
    demo, terminal = pty.fork()
    if demo == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.environ["TERM"] = "xterm"
        os.execv(HA, [str(HA), "demo"])
    output = b""
    while b"ACTIVE" not in output:
        assert select.select([terminal], [], [], 20)[0]
        output += os.read(terminal, 65536)
    namespaces = own_namespaces(demo)
    os.write(terminal, b"\x03")
    while select.select([terminal], [], [], 20)[0]:
        try:
            output += os.read(terminal, 65536)
        except OSError:
            break
    _, status = os.waitpid(demo, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 1
    assert b"interrupted" in output
    wait_until(lambda: not inhabitants(namespaces))
    heights = {int(n) for n in re.findall(rb"\x1b\[(\d+)A", output)}
    assert heights and max(heights) < 24, "a frame that is higher than the terminal cannot be redrawn in place"
