# SPDX-License-Identifier: ISC
"""Programs that embed a node: the examples do what the daemon does, and lose their group when they die
or hang."""

import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from embedded import Program
from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, BUILD, HA, SHARED, let_pass, start


@pytest.fixture
def programs(lan, folder):
    """A function that makes programs on hosts alpha, beta, ...; they end with the test."""
    made = []

    def make(*command, numbers=(1, 2), **options):
        for name, number in zip(["alpha", "beta", "gamma"][len(made):], numbers):
            host = lan.hosts.get(name) or lan.host(name, number)
            made.append(Program(folder, host, *command, **options))
        return made[-len(numbers):]

    yield make
    for program in made:
        program.end()
    for program in made:
        wait_until(lambda p=program: not p.host.has(ADDRESS), f"{program.name} holds nothing any more")


@pytest.fixture
def pair(programs):
    """Two web services; alpha, with the lower address, is ACTIVE."""
    alpha, beta = programs("examples/example_web", "eth0", ",".join(SHARED))
    alpha.start()
    alpha.wait_output("ACTIVE")
    beta.start()
    beta.wait_output("alpha holds it")
    return alpha, beta


def served_by(client, name):
    return wait_until(lambda: client.ask(ADDRESS) == name and client.ask(ADDRESS6) == name,
                      f"{name} answers for both addresses")


def test_two_programs_share_an_address(pair, client):
    alpha, beta = pair
    served_by(client, "alpha")
    answer = client.run("python3", "-c", "import urllib.request as u;"
                        f"print(u.urlopen('http://{ADDRESS}:8080/', timeout=5).read().decode())")
    assert answer.stdout.strip() == "alpha"
    assert not beta.host.has(ADDRESS)


# The sanitizers take signals of a broken program for their own find.
SANITIZED = b"__asan_init" in (BUILD / "tests/library/obey").read_bytes()
DEATHS = [signal.SIGKILL, signal.SIGTERM, *([] if SANITIZED else [signal.SIGSEGV])]


@pytest.mark.parametrize("death", DEATHS)
def test_program_that_dies_loses_the_group(pair, client, death):
    alpha, beta = pair
    served_by(client, "alpha")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        alpha.signal(death)
        probe.wait_for("beta")
    alpha.process.wait()
    assert probe.hosts() == ["alpha", "beta"]
    # The will was heard: nobody had to wait for a silence.
    assert "has resigned" in beta.output() or "gave" in beta.output(), beta.output()
    wait_until(lambda: not alpha.host.has(ADDRESS), "alpha holds nothing")


def test_program_that_is_stopped_loses_the_group(pair, client):
    alpha, beta = pair
    served_by(client, "alpha")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        alpha.signal(signal.SIGSTOP)
        probe.wait_for("beta")
        wait_until(lambda: not alpha.host.has(ADDRESS), "the keeper took the addresses down")
        alpha.signal(signal.SIGCONT)
        # Worthier by its lower address: it comes back, from the beginning.
        alpha.wait_output("ACTIVE", count=2)
        probe.wait_for("alpha")
    assert probe.hosts() == ["alpha", "beta", "alpha"]


@pytest.fixture
def obedient(programs):
    """Two programs that do what they are told, with policies of their own; alpha is ACTIVE."""
    alpha, beta = programs("tests/library/obey", "eth0", SHARED[0], "policy")
    alpha.start().wait_output("state main ACTIVE")
    beta.start().wait_output("holder main alpha")
    return alpha, beta


@pytest.mark.parametrize("way", [["spin 2"], ["block 2", "worth 101"]], ids=["spins", "blocks in a callback"])
def test_program_that_hangs_loses_the_group(obedient, client, way):
    alpha, beta = obedient
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        alpha.tell(*way)
        probe.wait_for("beta")
        wait_until(lambda: not alpha.host.has(ADDRESS), "the keeper took the address down")
    beta.wait_output("alpha was silent")
    alpha.wait_output("state main STANDBY", count=2)


def test_worth_and_health_move_the_group(obedient, client):
    alpha, beta = obedient
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        beta.tell("policy 200")
        probe.wait_for("beta")
        beta.tell("policy -1", "worth 50")
        probe.wait_for("alpha")
        alpha.tell("unhealthy the disk is full")
        probe.wait_for("beta")
        alpha.tell("healthy")
        probe.wait_for("alpha")
    assert probe.hosts() == ["alpha", "beta", "alpha", "beta", "alpha"]
    for program in obedient:
        program.wait_output("handed over to", count=2)
    alpha.tell("snapshot")
    alpha.wait_output('"name":"main","state":"ACTIVE"')


def test_veto_keeps_a_node_from_claiming(obedient, client):
    alpha, beta = obedient
    beta.tell("veto 1")
    served = client.ask(ADDRESS)
    alpha.tell("stop")
    alpha.wait_output("stopped")
    assert served == "alpha" and alpha.process.wait(5) == 0
    stays(lambda: not beta.host.has(ADDRESS), "beta does not claim what it vetoes", 0.8)
    beta.tell("veto 0")
    beta.wait_output("state main ACTIVE")


def yield_until(program, done):
    """Again and again: a node that has just started still listens, and cannot take anything."""
    for _ in range(50):
        answers = program.output().count("\nanswer main")
        program.tell("yield")
        wait_until(lambda: program.output().count("\nanswer main") > answers, "an answer")
        if done():
            return
        let_pass(0.1)
    raise AssertionError(program.output())


def test_yield_drain_and_resume(obedient, client):
    alpha, beta = obedient
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        beta.tell("yield")
        beta.wait_output("alpha holds main already")
        yield_until(alpha, lambda: beta.host.has(ADDRESS))
        probe.wait_for("beta")
        alpha.wait_output("candidate main beta 10.77.0.2 100")
        alpha.tell("resume")
        probe.wait_for("alpha")
        alpha.tell("drain 0")
        probe.wait_for("beta")
        alpha.tell("resume")
        probe.wait_for("alpha")
        alpha.tell("yield nobody-of-that-name")
        alpha.wait_output("no node nobody-of-that-name was heard")
    alpha.wait_output("handed over to beta", count=2)
    assert probe.hosts() == ["alpha", "beta", "alpha", "beta", "alpha"]


def test_choice_of_the_next_holder(programs, client):
    """With a sticky policy any node can be chosen: the program takes the last by name."""
    made = [program for program in programs("tests/library/obey", "--file", "", "policy", numbers=(1, 2, 3))]
    for program in made:
        path = program.runtime_dir.parent / f"{program.name}.conf"
        path.write_text(f"[node]\ninterface = eth0\nname = {program.name}\n"
                        f"[group main]\naddress = {SHARED[0]}\npolicy = sticky\n")
        program.command[2] = path
        program.start()
        made[0].wait_output("state main ACTIVE")
    alpha, beta, gamma = made
    beta.wait_output("holder main alpha")
    gamma.wait_output("holder main alpha")
    alpha.wait_output("gamma (10.77.0.3) is here")
    let_pass(1)  # until both have listened and could be chosen
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        yield_until(alpha, lambda: gamma.host.has(ADDRESS) or beta.host.has(ADDRESS))
        probe.wait_for("gamma")
    alpha.wait_output("handed over to gamma")
    assert set(probe.hosts()) == {"alpha", "gamma"}  # both answer for a moment


def test_hostile_policy_splits_nothing(obedient, client, lan):
    """Worths out of range, changing all the time: the group moves at most, and has one holder in the end."""
    alpha, beta = obedient
    for number in [10**9, -5, 65536, 0, 70000, 1] * 5:
        alpha.tell(f"policy {number}", f"veto {number % 2}")
        beta.tell(f"policy {-number}", f"veto {number % 3}")
    alpha.tell("policy 65535", "veto 0")
    beta.tell("policy 1", "veto 0")
    wait_until(lambda: lan.answering(client, ADDRESS) == {"alpha"}, "alpha alone answers")


def test_program_whose_keeper_dies_says_so(pair, client, lan, folder):
    """Nobody is left who could take the addresses down: the fence silences them, and `ha release` or
    the next start removes them."""
    alpha, beta = pair
    served_by(client, "alpha")
    os.kill(alpha.keeper_pid(), signal.SIGKILL)
    alpha.wait_output("the keeper is gone")
    assert alpha.process.wait(5) == 0
    beta.wait_output("ACTIVE")
    served_by(client, "beta")
    assert lan.answering(client, ADDRESS) == {"beta"}
    configuration = folder / "release.conf"
    configuration.write_text(f"[node]\ninterface = eth0\n[group main]\naddress = {SHARED[0]}\n")
    alpha.host.run(HA, "release", "-c", configuration, "--runtime-dir", alpha.runtime_dir)


def test_program_beside_daemons(pair, cluster, lan, client):
    """The same protocol: a worthier daemon takes over from a program, and gives back."""
    alpha, beta = pair
    daemon = cluster.node(lan.host("gamma", 3), worth=200)
    start(daemon)
    daemon.wait_state("ACTIVE")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("gamma")
        daemon.stop()
        probe.wait_for("alpha")
    assert probe.hosts() == ["gamma", "alpha"]


def test_wrong_options_are_told_at_once(programs):
    alpha, = programs("examples/example_web", "eth0", "10.77.0.100/99,nonsense", numbers=(1,))
    alpha.start()
    assert alpha.process.wait(5) == 1
    assert "99" in alpha.output() and "nonsense" in alpha.output()


def test_what_only_a_daemon_does_is_told(programs, folder):
    """A configuration file with a command: a program is told that nobody runs it."""
    path = folder / "whole.conf"
    path.write_text(f"[node]\ninterface = eth0\n[group main]\naddress = {SHARED[0]}\non-change = /bin/true\n")
    alpha, = programs("tests/library/obey", "--file", path, numbers=(1,))
    alpha.start().wait_output("checks and commands of the configuration are not run")
    alpha.wait_output("state main ACTIVE")


def test_two_keepers_in_one_folder(programs):
    first, second = programs("examples/example_web", "eth0", SHARED[0], numbers=(1, 2))
    second.environment["HA_RUNTIME_DIR"] = str(first.runtime_dir)
    first.start().wait_output("ACTIVE")
    second.start()
    assert second.process.wait(5) == 1
    assert "another ha runs" in second.output()


# --- the other examples


@pytest.mark.parametrize("name", ["epoll", "libuv"])
def test_examples_of_loops(programs, client, name):
    alpha, beta = programs(f"examples/example_{name}", "eth0", SHARED[0])
    alpha.start().wait_output("ACTIVE: nobody held it")
    beta.start()
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        if name == "libuv":
            alpha.wait_output("serving in epoch 1")
        alpha.signal(signal.SIGTERM)
        probe.wait_for("beta")
    assert alpha.process.wait(5) == 0
    assert "SHUTDOWN" in alpha.output() and probe.hosts() == ["alpha", "beta"]


def test_example_of_a_policy(programs, cluster, lan):
    """Its worth is what the policy says: 1 and something for each 256 MB."""
    alpha, = programs("examples/example_memory", "eth0", SHARED[0], numbers=(1,))
    alpha.start().wait_output("ACTIVE")
    observer = cluster.node(lan.host("gamma", 3), worth=65535).start()
    observer.wait_state("ACTIVE")
    alpha.wait_output("handed over to gamma")
    observer.change(worth=0)
    observer.stop()
    alpha.wait_output("ACTIVE", count=2)


# --- attached


class Attached(Program):
    """A program that looks after the group of a daemon, as a user without privileges."""

    USER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", "--no-new-privs"]

    def __init__(self, folder, node, *more):
        super().__init__(folder, node.host, "tests/library/obey", "--attached", "main", *more)
        self.command = [*self.USER, *self.command]
        self.output_path = folder / f"{node.name}.program"
        self.environment["HA_RUNTIME_DIR"] = str(node.runtime_dir)


def attach(folder, nodes):
    """Starts the daemons; a program of the user nobody for each, which is not started yet."""
    start(*nodes)
    made = [Attached(folder, node, "policy") for node in nodes]
    for node, program in zip(nodes, made):
        node.wait_reason("no program looks after it")
        # As if nobody were a member of the group ha, which does not exist here.
        os.chown(node.runtime_dir / "ha.sock", 65534, -1)
    return made


@pytest.fixture
def attached(cluster, folder):
    """Two daemons, and a program of the user nobody for each; alpha's is started first."""
    nodes = cluster.nodes_on(1, 2, application="nobody")
    made = attach(folder, nodes)
    yield nodes, made
    for program in made:
        program.end()


@pytest.fixture
def attached_choosy(cluster, folder):
    """Three, and the last one is the least worthy: nobody but a program's own choice takes it."""
    nodes = cluster.nodes_on(1, 2, 3, application="nobody", policy="sticky")
    made = attach(folder, nodes)
    yield nodes, made
    for program in made:
        program.end()


def test_group_is_held_only_where_its_program_lives(attached, client):
    (alpha, beta), (first, second) = attached
    assert not alpha.is_active() and not beta.is_active()
    first.start().wait_output("state main ACTIVE")
    second.start().wait_output("state main STANDBY")
    let_pass(1)  # until beta has listened and could take it
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        first.signal(signal.SIGKILL)
        probe.wait_for("beta")
        second.wait_output("state main ACTIVE")
        alpha.wait_reason("the program that looked after it has gone")
        alpha.wait_log("handed over to beta")
        first.end()
        first.start()
        probe.wait_for("alpha")
        first.tell("stop")
        first.wait_output("stopped")
        probe.wait_for("beta")
    assert first.process.wait(5) == 0
    assert probe.hosts() == ["alpha", "beta", "alpha", "beta"]


@pytest.mark.parametrize("way", [["spin 2"], ["block 2", "worth 101"]], ids=["spins", "blocks in a callback"])
def test_attached_program_that_hangs_loses_the_group(attached, client, way):
    (alpha, _), (first, second) = attached
    first.start().wait_output("state main ACTIVE")
    second.start().wait_output("state main STANDBY")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        first.tell(*way)
        alpha.wait_reason("does not answer")
        probe.wait_for("beta")
        probe.wait_for("alpha")  # it goes on, and is the worthier again
    assert probe.hosts() == ["alpha", "beta", "alpha"]


def test_attached_worth_and_health(attached, client):
    _, (first, second) = attached
    first.start().wait_output("state main ACTIVE")
    second.start().wait_output("state main STANDBY")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        second.tell("worth 65535")
        probe.wait_for("beta")
        second.tell("unhealthy the disk is full")
        probe.wait_for("alpha")
    assert probe.hosts() == ["alpha", "beta", "alpha"]


def test_attached_program_yields(attached, client):
    (alpha, _), (first, second) = attached
    first.start().wait_output("state main ACTIVE")
    second.start().wait_output("state main STANDBY")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        yield_until(first, lambda: "handed over to beta" in alpha.log())
        probe.wait_for("beta")
        first.tell("resume")
        probe.wait_for("alpha")
    alpha.wait_log("handed over to beta")
    assert probe.hosts() == ["alpha", "beta", "alpha"]


def test_attached_program_chooses(attached_choosy, client):
    (alpha, _, gamma), programs = attached_choosy
    for program, state in zip(programs, ["ACTIVE", "STANDBY", "STANDBY"]):
        program.start().wait_output(f"state main {state}")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        yield_until(programs[0], lambda: "handed over to gamma" in alpha.log())
        probe.wait_for("gamma")
    output = programs[0].output()
    assert "candidate main beta 10.77.0.2 100" in output
    assert "candidate main gamma 10.77.0.3 100" in output
    assert set(probe.hosts()) == {"alpha", "gamma"}  # both answer for a moment


def test_attached_program_outlives_the_daemon(attached):
    (alpha, _), (first, _) = attached
    first.start().wait_output("state main ACTIVE")
    alpha.stop()
    first.wait_output("state main SHUTDOWN")
    alpha.start()
    os.chown(alpha.runtime_dir / "ha.sock", 65534, -1)
    first.wait_output("state main ACTIVE", count=2)


def test_attached_program_outlives_a_reload(attached, client):
    """The daemon is replaced by another one, and the group stays where it is: nothing is told."""
    (alpha, _), (first, _) = attached
    first.start().wait_output("state main ACTIVE")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        socket_path = alpha.runtime_dir / "ha.sock"
        alpha.signal(signal.SIGHUP)
        wait_until(lambda: socket_path.exists() and socket_path.stat().st_uid != 65534, "another socket")
        os.chown(socket_path, 65534, -1)
        alpha.wait_log("goes on where the last engine left off")
        first.tell("unhealthy the disk is full")
        alpha.wait_reason("the disk is full")
        probe.wait_for("alpha")
    assert "state main SHUTDOWN" not in first.output(), first.output()


def test_only_the_application_may_look_after_a_group(cluster, folder, lan):
    node = cluster.node(lan.host("alpha", 1), application="daemon").start()
    program = Attached(folder, node)
    program.start()
    assert program.process.wait(5) == 1
    assert "no permission" in program.output()
    os.chown(node.runtime_dir / "ha.sock", 65534, -1)
    program.start()
    assert program.process.wait(5) == 1
    assert "this user is not the `application`" in program.output()
    program.end()


def test_one_program_looks_after_a_group(attached):
    (alpha, _), (first, _) = attached
    first.start().wait_output("state main ACTIVE")
    second = Attached(first.output_path.parent, alpha)
    second.output_path = first.output_path.parent / "second"
    second.start()
    assert second.process.wait(5) == 1
    assert "another program looks after this group" in second.output()
    second.end()


def test_keeper_with_capabilities_of_its_own_serves_nobody_without(lan, folder):
    """Else whoever may execute it could hold any address: its file decides, not who starts it."""
    host = lan.host("alpha", 1)
    keeper = folder / "ha-keeper"
    shutil.copy(BUILD / "ha-keeper", keeper)
    subprocess.run(["setcap", "cap_net_admin,cap_net_raw+ep", keeper], check=True)
    program = Program(folder, host, "tests/library/obey", "eth0", SHARED[0],
                      environment={"HA_KEEPER": str(keeper), "HA_RUNTIME_DIR": str(folder / "own")})
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all"]
    program.command = [*as_nobody, *program.command]
    program.start()
    assert program.process.wait(5) == 1
    assert "does not belong to root" in program.output()
    root_owned = folder / "root.conf"
    root_owned.write_text(f"[node]\ninterface = eth0\n[group main]\naddress = {SHARED[0]}\n")
    program.end()
    program.command = [*as_nobody, BUILD / "tests/library/obey", "--file", root_owned]
    program.start()
    assert program.process.wait(5) == 1
    assert "an unprivileged program cannot start a keeper of its own" in program.output()
    assert not host.has(ADDRESS)
    program.end()


def test_program_gives_up_its_privileges_after_opening(lan, folder, client):
    """Root while it opens the node, nobody from then on: the keeper has what is needed."""
    host = lan.host("alpha", 1)
    program = Program(folder, host, "tests/library/obey", "eth0", SHARED[0],
                      environment={"HA_USER": "65534"})
    program.start().wait_output("state main ACTIVE")
    assert client.ask(ADDRESS) == "alpha"
    status = pathlib.Path(f"/proc/{program.process.pid}/status").read_text(encoding="ascii")
    assert "Uid:\t65534\t65534\t65534\t65534" in status and "CapEff:\t0000000000000000" in status
    program.tell("stop")
    assert program.process.wait(5) == 0
    assert not host.has(ADDRESS)
    program.end()


def test_several_nodes_in_one_program(lan, folder, client):
    host = lan.host("alpha", 1)
    program = Program(folder, host, "tests/library/several", "eth0", "10.77.0.101/24", "10.77.0.102/24")
    program.start()
    program.wait_output("ACTIVE", count=2)
    assert client.ask("10.77.0.101") == client.ask("10.77.0.102") == "alpha"
    program.tell("stop")
    program.wait_output("SHUTDOWN", count=1)
    assert client.ask("10.77.0.102") == "alpha", "the other one goes on"
    assert client.ask("10.77.0.101", timeout=0.2) is None
    program.process.kill()
    wait_until(lambda: not host.has("10.77.0.102"), "both keepers have cleaned up")
    program.end()
