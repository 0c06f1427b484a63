# SPDX-License-Identifier: ISC
"""The main job: an address, those who hold it one after the other, and the client that follows it."""

import signal

from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, SHARED, start, wait_holder


def check_served_by(lan, client, node, addresses=(ADDRESS, ADDRESS6)):
    """The client's truth: who answers it, whom its cache names, and that nobody else answers."""
    for address in addresses:
        wait_until(lambda a=address: client.ask(a) == node.name,
                   lambda a=address: f"{node.name} answers for {a}, not {client.ask(a)}")
        assert lan.cached(client, address) == node.name
        assert lan.answering(client, address) == {node.name}


def test_one_line_is_enough(cluster, lan, client):
    nodes = []
    for name, number in [("alpha", 1), ("beta", 2)]:
        options = ["--interface", "eth0", "--address", f"{ADDRESS}/24", "--name", name]
        nodes.append(cluster.node(lan.host(name, number), options=options).start())
    wait_holder(*nodes)
    check_served_by(lan, client, nodes[0], [ADDRESS])
    assert nodes[0].status()["node"]["interval_ms"] == 100
    assert nodes[0].status()["node"]["tolerance_ms"] == 350


def test_worthiest_holds_both_families(pair, lan, client):
    alpha, beta = pair
    check_served_by(lan, client, alpha)
    assert not beta.host.has(ADDRESS) and not beta.host.has(ADDRESS6)
    assert "worthier" in beta.group()["reason"]


def test_host_vanishes(pair, lan, client):
    alpha, beta = pair
    check_served_by(lan, client, alpha)
    with client.probe(ADDRESS) as v4, client.probe(ADDRESS6) as v6:
        v4.wait_for("alpha")
        v6.wait_for("alpha")
        lan.isolate(alpha.host)
        alpha.kill9()
        v4.wait_for("beta")
        v6.wait_for("beta")
    assert v4.hosts() == v6.hosts() == ["alpha", "beta"]
    check_served_by(lan, client, beta)
    assert "silent" in beta.group()["reason"]


def test_killed_engine_leaves_nothing(pair, lan, client):
    alpha, beta = pair
    check_served_by(lan, client, alpha)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        alpha.kill_engine()
        probe.wait_for("beta")
        assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
    assert probe.hosts() == ["alpha", "beta"]
    check_served_by(lan, client, beta)
    assert "gave it up" in beta.group()["reason"], "the will tells it, not the silence"


def test_a_killed_engine_comes_back_by_itself(pair, lan, client):
    alpha, beta = pair
    check_served_by(lan, client, alpha)
    engine = alpha.engine_pid()
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        alpha.crash_engine()
        probe.wait_for("beta")
        assert alpha.is_running()
        wait_holder(alpha, beta)  # it is the worthier one
        probe.wait_for("alpha")
    assert probe.hosts() == ["alpha", "beta", "alpha"]
    assert alpha.engine_pid() not in (engine, None)
    assert "gave it up" in beta.log()
    check_served_by(lan, client, alpha)


def test_killed_keeper_and_engine_are_cleaned_up_by_the_next_start(pair, lan, client):
    alpha, beta = pair
    alpha.change(worth=50).kill9()
    assert alpha.host.has(ADDRESS) and alpha.host.has(ADDRESS6)
    wait_until(beta.is_active, "beta takes it")
    alpha.start()
    assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
    wait_holder(beta, alpha)
    check_served_by(lan, client, beta)


def test_polite_stop(pair, lan, client):
    alpha, beta = pair
    check_served_by(lan, client, alpha)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        assert alpha.stop() == 0
        assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
        probe.wait_for("beta")
    assert probe.hosts() == ["alpha", "beta"]
    check_served_by(lan, client, beta)
    assert beta.peer("alpha")["live"] is False


def test_stop_of_the_only_node(cluster, client):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    assert alpha.stop() == 0
    assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
    assert client.ask(ADDRESS) is None
    assert "SHUTDOWN" in alpha.log()


def test_worthier_returns(pair, lan, client):
    alpha, beta = pair
    assert alpha.stop() == 0
    wait_until(beta.is_active, "beta takes it")
    check_served_by(lan, client, beta)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("beta")
        alpha.start()
        wait_holder(alpha, beta)
        probe.wait_for("alpha")
    assert probe.hosts() == ["beta", "alpha"]
    check_served_by(lan, client, alpha)


def test_less_worthy_newcomer_changes_nothing(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    beta.change(worth=50)
    alpha.start()
    alpha.wait_state("ACTIVE")
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        beta.start()
        wait_holder(alpha, beta)
        stays(alpha.is_active, "alpha is active", 1)
    assert probe.hosts() == ["alpha"]
    assert alpha.group()["transitions"] == 1 and beta.group()["transitions"] == 0


def test_hangup_moves_nothing(pair, lan, client):
    alpha, beta = pair
    for node in pair:
        node.signal(signal.SIGHUP)
    for node in pair:
        node.wait_log("goes on where the last engine left off")
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", 1)
    assert alpha.group()["transitions"] == 1
    check_served_by(lan, client, alpha)


def test_a_stop_waits_for_a_keeper_that_cannot_hear_yet(pair):
    """It was told while the next one started, which would have died of it and left the addresses behind."""
    alpha, beta = pair
    alpha.signal(signal.SIGHUP)
    alpha.wait_log("takes over from the daemon before")
    assert alpha.stop() == 0
    wait_holder(beta)
    assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)


def test_epoch_grows_with_every_claim(pair):
    alpha, beta = pair
    epochs = [alpha.group()["epoch"]]
    for leaver, taker in [(alpha, beta), (beta, alpha)]:
        assert leaver.stop() == 0
        wait_until(taker.is_active, f"{taker.name} takes it")
        epochs.append(taker.group()["epoch"])
        leaver.change(worth=10).start()
        wait_until(lambda l=leaver, t=taker: l.group().get("holder") == t.name, "it is back")
    assert epochs[0] < epochs[1] < epochs[2], epochs


def test_five_nodes_serve_until_the_last(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, 3, 4, 5)
    for node, worth in zip(nodes, [10, 50, 30, 20, 40]):
        node.change(worth=worth)
    start(*nodes)
    order = sorted(nodes, key=lambda n: -n.groups["main"]["worth"])
    faults = [lambda n: n.stop(), lambda n: n.kill_engine(), lambda n: lan.cable_out(n.host),
              lambda n: (lan.isolate(n.host), n.kill9())]
    wait_holder(*order)
    with client.probe(ADDRESS) as probe:
        for holder, fault in zip(order, faults):
            later = order[order.index(holder) + 1:]
            wait_holder(holder, *later)
            probe.wait_for(holder.name)
            check_served_by(lan, client, holder)
            fault(holder)
        wait_until(order[-1].is_active, "the last one serves")
        probe.wait_for(order[-1].name)
    assert probe.hosts() == [node.name for node in order]
    check_served_by(lan, client, order[-1])


def test_addresses_of_a_group_move_together(cluster, lan, client):
    addresses = [*SHARED, "10.77.0.101/24", "10.77.0.102/32", "fd77::101/128"]
    alpha, beta = cluster.nodes_on(1, 2, address=addresses)
    start(alpha, beta)
    wait_holder(alpha, beta)
    plain = [a.split("/")[0] for a in addresses]
    assert set(plain) <= set(alpha.host.addresses())
    assert not set(plain) & set(beta.host.addresses())
    assert alpha.stop() == 0
    wait_until(beta.is_active, "beta takes them")
    assert set(plain) <= set(beta.host.addresses())
    assert not set(plain) & set(alpha.host.addresses())
    check_served_by(lan, client, beta, plain)


def test_all_start_at_the_same_time(cluster, lan, client):
    """The first to have listened may claim before a worthier one has; it ends with the worthiest, and
    none takes another for a stranger."""
    nodes = cluster.nodes_on(1, 2, 3, 4, 5)
    for _ in range(3):
        start(*nodes)
        wait_holder(*nodes)
        check_served_by(lan, client, nodes[0])
        for node in nodes:
            node.ask_to_stop()
        assert [node.wait_exit() for node in nodes] == [0] * 5
    for node in nodes:
        assert "outside the cluster" not in node.log()
