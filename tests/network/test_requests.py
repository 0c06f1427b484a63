# SPDX-License-Identifier: ISC
"""ha yield, drain and resume, as an administrator uses them: one line, an exit status, and what follows."""

import pytest

from lan import wait_until
from node import ADDRESS, start, wait_holder


@pytest.fixture
def pair(cluster):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=200)
    beta.change(worth=100)
    start(alpha, beta)
    wait_holder(alpha, beta)
    alpha.wait_peer("beta", hears_me=True)
    return alpha, beta


def done(result):
    assert (result.returncode, result.stderr) == (0, ""), result
    assert result.stdout.count("\n") == 1
    return result.stdout


def refused(result, status=1):
    assert (result.returncode, result.stdout) == (status, ""), result
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_yield_moves_a_group_and_says_so(pair, client):
    alpha, beta = pair
    assert done(alpha.cli("yield", "main")).startswith("beta holds main now, with epoch ")
    assert beta.is_active() and alpha.state() == "STANDBY"
    assert client.ask(ADDRESS) == "beta"
    # It is not taken back, although alpha is the worthier one; status says why, and what ends that.
    assert "given to beta on request, until beta fails or leaves, or `ha resume main`" in alpha.group()["reason"]
    before = beta.group()["transitions"]
    wait_until(lambda: beta.peer("alpha")["received"] > 30, "some heartbeats have passed")
    assert beta.is_active() and beta.group()["transitions"] == before
    assert done(alpha.cli("resume", "main")) == "this node may take main again\n"
    wait_holder(alpha, beta)


def test_yield_refuses_with_what_would_be_right(pair):
    alpha, beta = pair
    assert refused(beta.cli("yield", "main")) == "ha yield: alpha holds main; run `ha yield main` there\n"
    assert "there is no group mian; did you mean main?" in refused(alpha.cli("yield", "mian"), 2)
    assert "no node bata was heard; did you mean beta?" in refused(alpha.cli("yield", "main", "--to", "bata"), 2)
    assert alpha.cli("yield").returncode == 2
    assert alpha.cli("yield", "main", "--too", "beta").returncode == 2
    assert done(beta.cli("yield", "main", "--to", "alpha")) == "alpha holds main already\n"
    beta.stop()
    alpha.wait_peer("beta", live=False)
    assert "no other node could take main now" in refused(alpha.cli("yield", "main"))
    assert "beta is not live" in refused(alpha.cli("yield", "main", "--to", "beta"))
    assert alpha.is_active()


def test_what_was_yielded_comes_back_when_the_new_holder_fails(cluster):
    alpha, beta, gamma = cluster.nodes_on(1, 2, 3)
    for node, worth in [(alpha, 300), (beta, 200), (gamma, 100)]:
        node.change(worth=worth)
    start(alpha, beta, gamma)
    wait_holder(alpha, beta, gamma)
    for node in (beta, gamma):
        alpha.wait_peer(node.name, hears_me=True)
        wait_until(lambda peer=node: "listens" not in peer.group()["reason"], "it has listened")
    assert "gamma and would take main from it at once" in refused(alpha.cli("yield", "main", "--to", "gamma"))
    done(alpha.cli("yield", "main"))
    wait_holder(beta, alpha, gamma)
    beta.kill9()
    wait_holder(alpha, gamma)


def test_sticky_stays_where_it_was_put(cluster):
    alpha, beta, gamma = cluster.nodes_on(1, 2, 3, policy="sticky")
    start(alpha, beta, gamma)
    wait_until(lambda: any(n.is_active() for n in cluster.nodes), "somebody holds it")
    holder = next(n for n in cluster.nodes if n.is_active())
    others = [n for n in cluster.nodes if n is not holder]
    for target in others:
        holder.wait_peer(target.name, hears_me=True)
        wait_until(lambda node=target: "listens" not in node.group()["reason"], "it has listened")
        done(holder.cli("yield", "main", "--to", target.name))
        wait_holder(target, *(n for n in cluster.nodes if n is not target))
        holder = target


def test_a_drained_node_holds_nothing_until_it_is_resumed(pair, client):
    alpha, beta = pair
    assert done(alpha.cli("drain")).startswith("this node holds nothing any more")
    assert client.ask(ADDRESS) == "beta"
    assert alpha.group()["reason"] == "this node is drained, until `ha resume`"
    alpha.stop()
    alpha.start()  # it remembers
    alpha.wait_reason("drained")
    beta.kill9()
    assert "drained" in alpha.group()["reason"] and not alpha.is_active()
    assert done(alpha.cli("resume")) == "this node may hold its groups again\n"
    alpha.wait_state("ACTIVE")
    assert done(alpha.cli("resume")).startswith("nothing to do")


def test_what_nobody_can_take_is_served_on(cluster, client):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.start()
    alpha.wait_state("ACTIVE")
    assert "no other node could take main" in refused(alpha.cli("drain"))
    assert alpha.is_active() and client.ask(ADDRESS) == "alpha"
    assert "drained" in alpha.group()["reason"]
    beta.start()  # now one can
    wait_holder(beta, alpha)
    beta.stop()
    done(alpha.cli("resume"))
    alpha.wait_state("ACTIVE")
    done(alpha.cli("drain", "--force"))
    assert client.ask(ADDRESS) is None
