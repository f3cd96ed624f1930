"""The embedded server: starts, survives being killed, and is found again."""

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from warehouse import embedded, migrate
from warehouse.database import check_connection
from warehouse.errors import ServerError
from warehouse.settings import Settings


@pytest.fixture
def own(tmp_path):
    """Settings of an instance with a server of its own."""
    settings = Settings(home=tmp_path / "own instance")
    yield settings
    embedded.remove(settings)


def test_starting_twice_is_the_same_as_once(own):
    first = embedded.start(own)
    assert embedded.start(own) == first
    assert embedded.is_running(first)
    assert embedded.stop(own)
    assert not embedded.is_running(first)
    assert not embedded.stop(own)


def test_a_home_made_anew_has_a_cluster_of_its_own(own):
    migrate.up(own)
    before = embedded.locate(own).data
    embedded.stop(own)
    shutil.rmtree(own.home)
    migrate.up(own)
    assert check_connection(own)
    if before.exists():
        shutil.rmtree(before.parent)


def test_a_cluster_whose_making_was_killed_is_made_anew(own):
    part = embedded.locate(own).data.with_name("data.part")
    part.mkdir(parents=True)
    (part / "PG_VERSION").write_text("18\n")
    embedded.start(own)
    assert embedded.is_running(embedded.locate(own))
    assert not part.exists()


def test_the_server_comes_up_again_after_all_of_it_was_killed(own):
    migrate.up(own)
    server = embedded.locate(own)
    postmaster = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in [postmaster, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)
    embedded.start(own)
    assert check_connection(own)


def test_a_server_that_is_down_is_named_with_the_way_to_start_it(own):
    with pytest.raises(ServerError, match="warehouse up"):
        check_connection(own)


def test_the_server_listens_on_loopback_only(own):
    server = embedded.start(own)
    addresses = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    ours = [address for address in addresses if address.endswith(f":{server.port:04X}")]
    assert ours
    assert {address.split(":")[0] for address in ours} == {"0100007F"}


def test_a_wrong_password_is_refused(own):
    migrate.up(own)
    (own.secrets / "owner").write_text("wrong\n")
    with pytest.raises(ServerError):
        check_connection(own)


def test_another_port_is_chosen_when_a_program_has_taken_the_kept_one(own):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        own.home.mkdir()
        embedded.port_file(own).write_text(f"{taken}\n")
        assert embedded.start(own).port != taken
        assert embedded.is_running(embedded.locate(own))


def test_a_port_that_was_set_is_never_changed_and_a_stranger_on_it_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "START_SECONDS", 1200)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = Settings(home=tmp_path / "home", port=other.getsockname()[1])
        with pytest.raises(ServerError, match=r"taken by another program.*WAREHOUSE_PORT"):
            embedded.start(settings)
