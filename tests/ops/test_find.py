"""A node is found by name, file or folder; a broken file still finds it, because a kill must work."""

import os
import struct

import pytest

from openbell.errors import ConfigError
from openbell.ops.find import find_hot_dir, read_page


def hot_dir(shared, name, *, pid=0, state=1, epoch=1):
    directory = shared / name
    directory.mkdir(parents=True)
    page = bytearray(4096)
    page[:8] = b"openbctl"
    struct.pack_into("<III", page, 24, pid, state, epoch)
    struct.pack_into("<Q", page, 80, 100)
    struct.pack_into("<Q", page, 144, 90)
    (directory / "journal.ctl").write_bytes(page)
    return directory


def test_by_name_by_folder_and_the_only_one_that_runs(tmp_path):
    a, b = hot_dir(tmp_path, "a"), hot_dir(tmp_path, "b", pid=os.getpid())

    assert find_hot_dir("a", tmp_path) == a
    assert find_hot_dir(str(a), tmp_path) == a
    assert find_hot_dir(None, tmp_path) == b
    assert read_page(b).is_alive and not read_page(a).is_alive
    assert (read_page(b).committed_seq, read_page(b).durable_seq) == (100, 90)


def test_a_closed_journal_is_not_alive(tmp_path):
    assert not read_page(hot_dir(tmp_path, "a", pid=os.getpid(), state=2)).is_alive


def test_several_nodes_are_named_and_none_is_said(tmp_path):
    with pytest.raises(ConfigError, match="found none"):
        find_hot_dir(None, tmp_path)
    hot_dir(tmp_path, "a"), hot_dir(tmp_path, "b")
    with pytest.raises(ConfigError, match="expected the name of a node, found 2: a, b"):
        find_hot_dir(None, tmp_path)
    with pytest.raises(ConfigError, match="known on this host: a, b"):
        find_hot_dir("c", tmp_path)


def test_a_file_broken_since_the_start_still_finds_its_node(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text('[node]\nname = "x"\nrun_dir = "hot"\nmode = "nonsense"\n')
    assert find_hot_dir(str(path)) == tmp_path / "hot"

    path.write_text("[node\n")
    with pytest.raises(ConfigError, match="give the name itself"):
        find_hot_dir(str(path))
