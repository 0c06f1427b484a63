# SPDX-License-Identifier: ISC
"""Completion in a real bash (and zsh, where there is one), and the help that it is made from."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess

import pytest

from node import HA

COMPLETIONS = pathlib.Path(__file__).resolve().parents[2] / "packaging/completions"


def ha(*arguments):
    return subprocess.run([HA, *arguments], capture_output=True, text=True, check=True).stdout


def commands():
    return re.findall(r"^  ([a-z][a-z-]*) +[A-Z]", ha("--help"), re.MULTILINE)


def bash(*words):
    """What bash offers for the last word."""
    script = (f". {COMPLETIONS}/ha.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _ha; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script, "bash", HA, *words], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return done.stdout.split()


def test_every_help_ends_with_an_example():
    assert "status" in commands() and len(commands()) > 8
    for command in commands():
        last = ha(command, "--help").rstrip().split("\n\n")[-1]
        assert re.match(r"Examples?:\n  .*\bha ", last), f"{command}: {last}"


def test_bash_knows_all_commands_and_their_options():
    assert bash("") == commands()
    assert bash("sta") == ["status"]
    for command in commands():
        text = ha(command, "--help").split("\nExample")[0]
        assert set(bash(command, "-")) == set(re.findall(r"--[a-z][a-z-]*", text)) | {"--help"}
    assert "--json" in bash("status", "--") and bash("run", "--interv") == ["--interval"]


def test_bash_knows_groups_and_files(cluster, tmp_path):
    node = cluster.node(cluster.lan.host("alpha", 1), groups={"web": {"address": "10.77.0.100/24"},
                                                              "mail": {"address": "10.77.0.101/24"}})
    node.start()
    fake = tmp_path / "ha"
    fake.write_text(f'#!/bin/sh\nexec {HA} "$@" --runtime-dir {node.runtime_dir}\n')
    fake.chmod(0o755)
    script = f". {COMPLETIONS}/ha.bash; _ha_groups {fake}"
    done = subprocess.run(node.host.command("bash", "-c", script), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["web", "mail"]
    (tmp_path / "some.conf").touch()
    assert bash("run", "-c", f"{tmp_path}/so") == [f"{tmp_path}/some.conf"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_takes_it():
    """It loads, and completes as the user would see it, in a shell on a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execlp("zsh", "zsh", "-f", "-i")
    seen = b""

    def type_and_wait(keys, expected):
        nonlocal seen
        os.write(terminal, keys.encode())
        seen = b""
        while expected.encode() not in seen:
            assert select.select([terminal], [], [], 60)[0], f"{expected!r} in {seen!r}"
            seen += os.read(terminal, 65536)

    try:
        folder = pathlib.Path(HA).parent
        type_and_wait(f"fpath=({COMPLETIONS} $fpath); PATH={folder}:$PATH; autoload -U compinit; compinit -u -D; "
                      "compdef _ha ha; bindkey '^I' complete-word; print REA''DY\n", "READY")
        type_and_wait("ha hist\t", "ory")
        type_and_wait("--lin\t", "es")
        type_and_wait("\n", "--lines needs a value")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
