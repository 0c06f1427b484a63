# SPDX-License-Identifier: ISC
"""What the processes have given up: capabilities, new privileges, system calls."""

import pathlib

import pytest

from lan import wait_until

FILTERED = "2"  # seccomp(2), as /proc/PID/status shows it

HOOK = """#!/usr/bin/python3
import os, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
unshared = os.system("unshare --user true 2>/dev/null")
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(f"{status['Seccomp'].strip()} {status['NoNewPrivs'].strip()} {unshared}")
os.rename(sys.argv[1], sys.argv[1] + ".done")
"""


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def need_filters(node):
    if status(node.process.pid)["Seccomp"] != FILTERED:
        pytest.skip("built without libseccomp")


def test_keeper_and_engine_give_up_system_calls(alpha):
    alpha.start()
    need_filters(alpha)
    for pid in (alpha.process.pid, alpha.engine_pid(), alpha.child("ha-starter")):
        found = status(pid)
        assert (found["Seccomp"], found["NoNewPrivs"]) == (FILTERED, "1")
    assert status(alpha.engine_pid())["CapPrm"] == "0" * 16
    assert "not restricted" not in alpha.log()
    alpha.wait_state("ACTIVE")
    alpha.crash_engine()
    wait_until(lambda: alpha.status() and alpha.is_active(), "a fresh engine serves")
    assert status(alpha.engine_pid())["Seccomp"] == FILTERED


def test_hooks_can_do_ordinary_work_and_no_harm(alpha, folder):
    script, note = folder / "hook", folder / "notes"
    script.write_text(HOOK)
    script.chmod(0o755)
    note.mkdir()
    note.chmod(0o777)
    alpha.change(on_active=f"{script} {note}/it").start()
    need_filters(alpha)
    wait_until((note / "it.done").exists, "the hook has run")
    seccomp, privileges, unshared = (note / "it.done").read_text().split()
    assert (seccomp, privileges) == (FILTERED, "1")
    assert int(unshared) != 0, "no user namespace, by which many a hole was reached"
