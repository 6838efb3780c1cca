"""Databento files as tapes, against a second reading with the official decoder and a slow book."""

import numpy as np
import pytest
from databento_dbn import Action, MBOMsg, Metadata, Schema, Side, SType
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell._native import LevelBooks
from openbell.backtest.tape_dbn import import_dbn
from openbell.book import Books
from openbell.errors import DecodeError, JournalError
from openbell.journal import open_journal
from openbell.types import BUY, RECORDS, SELL, Type
from oracles import dbn_book

ESH4 = "esh4-glbx-mdp3-20231224.mbo.dbn.zst"
ESU4 = "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
LAST, SNAPSHOT = 128, 32
E9 = 1_000_000_000


def tape(file, out, **options):
    """(import's answer, instruments, frames of market records) of a file."""
    imported = import_dbn(file, out, **options)
    frames = list(open_journal(out))
    instruments = [np.frombuffer(f.raw.tobytes(), RECORDS["Instrument"])[0] for f in frames if f.raw.shape[1] == 128]
    return imported, instruments, [f for f in frames if f.raw.shape[1] == 48]


def book_of(frames, orders_max=1 << 14):
    books = Books(1, orders_max)
    books.add_instrument(0)
    for frame in frames:
        assert books.apply(frame.records) == 0
    return books


def queues(books, side, scale):
    """[(price in 1e-9, [(order_id, quantity)])], best first."""
    depth = books.depth(0, side, 10_000).view(np.dtype([("px", "<i8"), ("qty", "<i8"), ("n", "<u8")]))[:, 0]
    return [(int(px) * scale, books.queue(0, side, int(px))) for px in depth["px"]]


def expect_the_oracles_book(file, frames, scale):
    slow = dbn_book.Book()
    for record in dbn_book.records(file)[1:]:
        slow.apply(record)
    books = book_of(frames)
    assert queues(books, BUY, scale) == slow.queues("B")
    assert queues(books, SELL, scale) == slow.queues("A")
    assert books.orders(0) == len(slow.orders)
    return slow


def test_es_at_the_start_of_its_week_is_the_oracles_book_order_by_order(shared_data, tmp_path):
    file = shared_data / "dbn" / ESH4
    imported, instruments, frames = tape(file, tmp_path / "t")

    assert (imported.messages, imported.unsubscribed, imported.records) == (8_725, 0, 8_726)
    es = instruments[0]
    assert (es["symbol"], es["calendar"], es["px_decimals"], es["tick"]) == (b"ESH4", b"GLBX", 2, 25)
    slow = expect_the_oracles_book(file, frames, E9 // 100)
    assert len(slow.orders) == 8_725


def test_mbp_1_is_quotes_and_trades_of_every_event(shared_data, tmp_path):
    file = shared_data / "dbn" / ESU4
    imported, _, frames = tape(file, tmp_path / "t")
    books = LevelBooks(1, 16)
    told = iter(dbn_book.records(file)[1:])
    trades = []
    for frame in frames:
        assert books.apply(frame.records) == 0
        trades += [r for r in frame.records.tolist() if r[0] == Type.TRADE]
    assert imported.messages == 2_288
    shown = []
    for r in told:
        last = r.levels[0]
        if r.action == "T":
            shown.append((r.price // 10**7, r.size, r.side == "A", r.sequence))
    assert [(px, qty, bool(flags & 1), ref) for _, flags, _, _, _, _, px, qty, ref in trades] == shown
    assert books.touch(0) == (last.bid_px // 10**7, last.bid_sz, last.ask_px // 10**7, last.ask_sz)


def metadata():
    return bytes(
        Metadata(
            dataset="GLBX.MDP3",
            start=1,
            stype_in=SType.RAW_SYMBOL,
            stype_out=SType.INSTRUMENT_ID,
            schema=Schema.MBO,
            symbols=["ZZ"],
            partial=[],
            not_found=[],
            mappings=[],
        )
    )


def message(action, order_id, px, qty, *, side="B", flags=LAST, ts=1):
    return bytes(
        MBOMsg(
            publisher_id=1,
            instrument_id=5,
            ts_event=ts,
            order_id=order_id,
            price=px,
            size=qty,
            channel_id=0,
            action=Action(action),
            side=Side(side),
            ts_recv=ts,
            flags=flags,
            ts_in_delta=0,
            sequence=ts,
        )
    )


def write(file, *messages):
    file.write_bytes(metadata() + b"".join(messages))
    return file


def flow(rng, count):
    """Orders that come, shrink, grow, move and go, and trades against them, as CME tells them."""
    live = {}
    for ts in range(1, count):
        chance = rng.random()
        if chance < 0.5 or not live:
            side, px, qty = rng.choice("BA"), rng.randint(390, 410) * E9 // 4, rng.randint(2, 50)
            live[ts] = [side, px, qty]
            yield message("A", ts, px, qty, side=side, ts=ts)
            continue
        order_id = rng.choice(sorted(live))
        side, px, qty = live[order_id]
        if chance < 0.75:
            new_px = px if rng.random() < 0.6 else rng.randint(390, 410) * E9 // 4
            live[order_id][1:] = [new_px, rng.randint(1, 60)]
            yield message("M", order_id, new_px, live[order_id][2], side=side, ts=ts)
            continue
        gone = qty if chance < 0.9 else rng.randint(1, qty)
        if chance > 0.97:
            aggressor = "A" if side == "B" else "B"
            yield message("T", 0, px, gone, side=aggressor, flags=0, ts=ts)
            yield message("F", order_id, px, gone, side=side, flags=0, ts=ts)
        yield message("C", order_id, px, gone, side=side, ts=ts)
        live[order_id][2] -= gone
        if live[order_id][2] == 0:
            del live[order_id]
        if chance > 0.998:
            live.clear()
            yield message("R", 0, (1 << 63) - 1, 0, side="N", ts=ts)


def test_changes_cancels_and_fills_leave_the_oracles_queues(rng, tmp_path):
    file = write(tmp_path / "f.dbn", *flow(rng, 4_000))
    _, instruments, frames = tape(file, tmp_path / "t")
    assert (instruments[0]["symbol"], instruments[0]["px_decimals"], instruments[0]["tick"]) == (b"5", 2, 25)
    expect_the_oracles_book(file, frames, E9 // 100)


def test_a_trade_its_fill_and_its_cancel_are_one_frame(tmp_path):
    file = write(
        tmp_path / "f.dbn",
        message("A", 7, 100 * E9, 5, ts=1),
        message("T", 0, 100 * E9, 2, side="A", flags=0, ts=2),
        message("F", 7, 100 * E9, 2, flags=0, ts=2),
        message("C", 7, 100 * E9, 2, ts=2),
    )
    _, _, frames = tape(file, tmp_path / "t")
    assert [[Type(int(t)) for t in f.records["type"]] for f in frames] == [
        [Type.BOOK_ADD],
        [Type.STATUS, Type.TRADE, Type.BOOK_CANCEL],
    ]
    assert frames[1].records["flags"].tolist() == [0, 9, 0]


def test_prices_keep_every_digit_they_have(tmp_path):
    file = write(tmp_path / "f.dbn", message("A", 1, 1_234_567_891, 1), message("A", 2, 5 * E9, 1))
    _, instruments, frames = tape(file, tmp_path / "t")
    assert instruments[0]["px_decimals"] == 9
    assert [int(f.records["px"][0]) for f in frames] == [1_234_567_891, 5 * E9]


def test_symbols_that_are_not_asked_for_are_counted(shared_data, tmp_path):
    imported, instruments, frames = tape(shared_data / "dbn" / ESH4, tmp_path / "t", symbols=["NQH4"])
    assert (imported.unsubscribed, len(instruments), frames) == (8_725, 0, [])


@pytest.mark.parametrize("schema", ["ohlcv-1d.dbn", "mbp-10.dbn", "status.dbn", "statistics.dbn", "imbalance.dbn"])
def test_other_schemas_are_refused_by_name(shared_data, tmp_path, schema):
    with pytest.raises(DecodeError, match="expected"):
        import_dbn(shared_data / "dbn/tests_data" / f"test_data.{schema}", tmp_path / "t")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    "name", ["mbo.v1.dbn.zst", "mbo.v2.dbn.zst", "mbo.v3.dbn", "mbp-1.v2.dbn.zst", "tbbo.dbn", "trades.dbn"]
)
def test_every_version_of_the_schemas_is_read(shared_data, tmp_path, name):
    imported, instruments, frames = tape(shared_data / "dbn/tests_data" / f"test_data.{name}", tmp_path / "t")
    assert imported.messages == 2
    assert len(instruments) == 1
    assert sum(len(f.raw) for f in frames) >= 1


def test_a_file_that_is_cut_or_damaged_is_a_typed_error(shared_data, tmp_path):
    whole = (shared_data / "dbn" / ESH4).read_bytes()
    plain = metadata() + message("A", 1, E9, 1)
    for name, data in (("cut", whole[:20_000]), ("inside", plain[:-7]), ("empty", b""), ("other", b"hello world" * 9)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DecodeError):
            import_dbn(tmp_path / name, tmp_path / "t")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "something").touch()
    (tmp_path / "good").write_bytes(plain)
    with pytest.raises(JournalError):
        import_dbn(tmp_path / "good", tmp_path / "t")


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_any_damage_is_a_typed_error_or_a_tape(tmp_path_factory, data):
    plain = bytearray(metadata() + b"".join(message("A", n, n * E9, 1, ts=n) for n in range(1, 4)))
    for _ in range(data.draw(st.integers(1, 4))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("dbn")
    (folder / "f").write_bytes(plain)
    try:
        import_dbn(folder / "f", folder / "t")
    except DecodeError:
        assert not (folder / "t").exists()
