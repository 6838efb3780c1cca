"""The replay desk: a range, what another limit, strategy or parameter would have said, where states part."""

import json

import numpy as np
import pytest
from tests.node import lives

from openbell import _native as native
from openbell.cli import main
from openbell.journal import open_journal
from openbell.node.assemble import capacity_of
from openbell.node.config import load_node
from openbell.node.snapshots import open_follower, write_snapshot
from openbell.types import RECORDS, Type

TWO = """
from openbell import Strategy, param

class One(Strategy):
    size: int = param(1)

class Two(Strategy):
    size: int = param(1)
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Two epochs; the second one with another parameter."""
    folder = tmp_path_factory.mktemp("desk")
    node = lives.write_node(folder)
    lives.run_epoch(node, 1, lives.OPENING + lives.adds(1, 40))
    snapshot_of(node)
    node.write_text(node.read_text().replace("size = 7", "size = 9"))
    lives.run_epoch(node, 43, lives.adds(41, 20), acknowledged=name_of(node))
    return folder / "journal"


def name_of(node):
    from openbell.node.start import Start

    return Start(load_node(node)).running.name


def snapshot_of(node, journal=None, folder=None):
    config = load_node(node)
    follower = open_follower(capacity_of(config), journal or config.node.journal_dir, config.node.hot_dir)
    while follower.poll():
        pass
    return write_snapshot(folder or config.node.journal_dir / "snapshots", follower.engine)


def replay(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["replay", *map(str, arguments)])
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def frames_with(journal, kind):
    """IN frames whose decision holds a record of that type."""
    found = open_journal(journal, journal.parent / "hot")
    return [f.cause_seq for f in found if f.is_decision and kind in f.raw[:, 0]]


def test_each_epoch_is_verified_with_what_it_ran(journal, capsys):
    quantities = {
        int(f.record(i)["bid_qty"])
        for f in open_journal(journal, journal.parent / "hot")
        for i in range(len(f.raw))
        if f.is_decision and f.raw[i, 0] == Type.INTENT
    }
    assert quantities == {7, 9}

    code, out, _ = replay(capsys, journal, "--verify")
    assert (code, out.splitlines()[1:]) == (0, ["core: identical", "strategy: identical", "replay: identical"])


def test_a_range_is_compared_alone_and_begins_at_a_snapshot(journal, capsys):
    last = frames_with(journal, Type.INTENT)[-1]

    code, whole, _ = replay(capsys, journal)
    code, out, _ = replay(capsys, journal, "--from", last - 5, "--to", last, "--verify", "--json")
    told = json.loads(out)
    assert (code, told["is_identical"], told["last_seq"]) == (0, True, last + 1)
    assert told["frames"] < int(whole.split()[0].replace(",", "")) / 2  # the first epoch was not played


def test_what_a_parameter_would_have_said(journal, capsys):
    code, out, _ = replay(capsys, journal, "--what-if", "size=8")
    intents = frames_with(journal, Type.INTENT)
    assert code == 1 and f"{len(intents):,} differ" in out
    lines = out.splitlines()
    assert lines[1].split() == [f"{len(intents):,}", *["QUOTE", "with", "another", "bid_qty"]]
    assert lines[2].startswith(f"seq {intents[0]:,}  ") and lines[2].endswith("maker OBEL: QUOTE with another bid_qty")
    then, now = lines[3], lines[4]
    assert then.startswith("  then  QUOTE buy 7 @ ") and ", sell 1 @ " in then
    assert now == then.replace("then ", "now  ").replace("buy 7", "buy 8")
    assert sum(line.startswith("seq ") for line in lines) == 20 and f"{len(intents) - 20:,} more: --show " in out
    assert "the fills of orders that never were" in out

    code, out, _ = replay(capsys, journal, "--what-if", "size=7", "--to", intents[1])
    assert code == 0 and ", 0 differ" in out


def test_what_another_strategy_would_have_said(journal, capsys, tmp_path):
    (tmp_path / "later.py").write_text(lives.MAKER.replace("book.bid_px and", "self.books > 20 and book.bid_px and"))
    code, out, _ = replay(capsys, journal, "--what-if", f"strategy={tmp_path / 'later.py'}")
    then = frames_with(journal, Type.INTENT)
    assert code == 1 and f"seq {then[0]:,}  " in out and "  now   nothing" in out
    code, out, _ = replay(capsys, journal, "--what-if", f"strategy={tmp_path / 'later.py'}", "--json")
    told = json.loads(out)
    gone = [one["seq"] for one in told["changes"] if one["now"] is None]
    assert gone and set(gone) < {*then} and told["totals"]["QUOTE not asked any more"] == len(gone)
    assert all(one["then"] for one in told["changes"]), "nothing is asked beside"
    assert told["assets"]["0"]["symbol"] == told["symbols"]["0"] == "OBEL"


def test_a_strategy_that_asks_more_asks_beside_what_was(journal, capsys, tmp_path):
    more = "            ctx.order(book.instrument, 1, book.bid_px - 1_000, 3, 3)\n"
    (tmp_path / "more.py").write_text(lives.MAKER + more)

    code, out, _ = replay(capsys, journal, "--what-if", f"strategy={tmp_path / 'more.py'}", "--show", "2")

    orders = len(frames_with(journal, Type.INTENT))
    assert code == 1 and f"{orders:>8,}  ORDER asked beside" in out and "QUOTE" not in out
    assert "  then  nothing" in out and "  now   ORDER buy 3 @ " in out and " IOC" in out
    assert sum(line.startswith("seq ") for line in out.splitlines()) == 2


def test_what_other_limits_would_have_let_pass(journal, capsys):
    limits = (journal.parent / "limits.toml").read_text()
    file = journal.parent / "narrow.toml"

    file.write_text(limits)
    code, out, _ = replay(capsys, journal, "--what-if", f"limits={file}")
    assert code == 0 and " 0 differ" in out and "order " not in out

    narrow = limits.replace("order_qty_max_lots = 500", "order_qty_max_lots = 8")
    file.write_text(narrow.replace('order_notional_max = "150000.00"', 'order_notional_max = "8000.00"'))
    code, out, _ = replay(capsys, journal, "--what-if", f"limits={file}")
    nines = [seq for seq in frames_with(journal, Type.APPROVED) if approved(journal, seq) == 9]
    assert code == 1 and f" {len(nines):,} differ" in out
    assert f"seq {nines[0]:,}  " in out and f"{len(nines):>8,}  order APPROVED, now REFUSED" in out
    assert "  then  APPROVED buy 9 @ " in out and "  now   REFUSED buy 9 @ " in out
    assert "ORDER_QTY: ORDER_QTY of INSTRUMENT limit 8, found 9" in out


def approved(journal, seq):
    """The largest quantity that was approved about frame `seq`."""
    for f in open_journal(journal, journal.parent / "hot"):
        if f.is_decision and f.cause_seq == seq:
            return max(int(f.record(i)["qty"]) for i in range(len(f.raw)) if f.raw[i, 0] == Type.APPROVED)
    raise AssertionError(f"no decision about {seq}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("size", "expected limits=FILE, strategy=FILE or NAME=VALUE, found 'size'"),
        ("other.size=3", "expected one of the strategies maker, found 'other'"),
        ("limits=none.toml", "none.toml"),
        ("strategy=none.py", "expected a Python file, found none at none.py"),
        (
            "strategy={two}",
            "expected one strategy class, found One, Two; name one with `class`; here: strategy=FILE:CLASS",
        ),
        ("strategy={two}:Three", "expected class Three, found One, Two"),
    ],
)
def test_a_question_that_is_none_is_told(journal, capsys, change, says, tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    code, _, err = replay(capsys, journal, "--what-if", change.format(two=tmp_path / "two.py"))
    assert code == 2 and says in err


def test_of_a_file_of_several_the_class_that_ran_is_meant_or_the_one_that_is_named(journal, capsys, tmp_path):
    file = tmp_path / "several.py"
    file.write_text(lives.MAKER + TWO)

    assert replay(capsys, journal, "--what-if", f"strategy={file}")[0] == 0
    code, out, _ = replay(capsys, journal, "--what-if", f"strategy={file}:Two")
    assert code == 1 and "QUOTE not asked any more" in out


def test_bisect_names_the_frame_at_which_snapshots_part_from_this_core(journal, capsys, tmp_path):
    code, out, _ = replay(capsys, journal, "--bisect")
    assert code == 0 and "agrees with every snapshot" in out

    folder, forged = tmp_path / "journal", tmp_path / "forged"
    writers = [native.JournalWriter(str(one)) for one in (folder, forged)]
    (folder / "node.json").write_bytes((journal / "node.json").read_bytes())
    frames = list(open_journal(journal, journal.parent / "hot"))
    adds = [f.seq for f in frames if f.raw.shape[1] == 48 and f.raw[0, 0] == Type.BOOK_ADD]
    for f in frames:
        for writer in writers:
            raw = f.raw.copy()
            if writer is writers[1] and f.seq == adds[-1]:
                raw.view(RECORDS["Market"])["qty"] += 1
            header = f.cause_seq, f.source_seq, f.ts_recv, f.ts_seq
            writer.append(f.frame_class, f.source, raw.shape[1], raw.reshape(-1), *header)
    for writer in writers:
        writer.close()
    capacity = capacity_of(load_node(journal.parent / "node.toml"))
    before = native.Engine(capacity)
    native.recover(before, str(folder), "", adds[-1])
    write_snapshot(folder / "snapshots", before)
    after = native.Engine(capacity)
    native.recover(after, str(forged))
    write_snapshot(folder / "snapshots", after)

    code, out, _ = replay(capsys, folder, "--bisect")

    assert code == 1
    assert f"agrees at seq {before.seq:,}, differs in the snapshot at seq {after.seq:,}" in out
    assert np.int64(before.seq) < adds[-1] <= after.seq
