# SPDX-License-Identifier: ISC
"""Completion in a real bash (and zsh, where there is one), and the help that it is made from."""

import pathlib
import re
import shutil
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
    """It loads, and completes as the user would see it, in a shell on a terminal of its own."""
    script = f"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=({COMPLETIONS} $fpath); autoload -U compinit; compinit -u -D; compdef _ha ha; PATH={pathlib.Path(HA).parent}:$PATH'
zpty -w z 'bindkey "^I" complete-word; zstyle ":completion:*" list-prompt ""; LISTMAX=1000'
sleep 1
zpty -w -n z $'ha hist\\t'
zpty -w -n z $'--lin\\t'
sleep 1
zpty -w -n z $'\\n'
sleep 0.3
zpty -r -t z out
for i in 1 2 3 4 5 6 7 8 9; do zpty -r -t z more && out+=$more; done
print -r -- $out
"""
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert "ha history: --lines needs a value" in done.stdout, done.stdout
