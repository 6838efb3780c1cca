"""A small `make exchange-soak`: sessions of both protocols over sockets, cuts, kill -9, one account of it all."""

import pytest
from bench.exchange_soak.day import Life
from bench.exchange_soak.languages import LANGUAGES
from bench.exchange_soak.play import memory_problems, soak
from bench.exchange_soak.scripts import Script, write_script
from bench.exchange_soak.sessions import LostError, Session
from bench.exchange_soak.tally import tally
from rich.progress import Progress

from openbell._native import ouch50_encode_outbound, ouch_encode_outbound, soup_login_accepted, soup_packet

SESSIONS, ORDERS = 50, 20_000


def test_a_day_with_cuts_and_crashes_is_one_account(seed, tmp_path):
    outcome = soak(SESSIONS, ORDERS, seed, tmp_path, Progress(disable=True))

    assert outcome.problems == []
    assert outcome.cuts > 0 and outcome.reports > ORDERS and len(outcome.lives) == 3


@pytest.mark.parametrize(("grows", "problems"), [(0.0, 0), (10.0, 0), (24.0, 1)])
def test_memory_that_grows_with_the_orders_is_a_problem(grows, problems, rng):
    samples = [(n, int(50e6 + grows * n + rng.uniform(0, 1e5))) for n in range(0, 1_000_000, 10_000)]

    assert len([*memory_problems([Life(1.0, samples)])]) == problems


def token(number):
    return f"{number:014}"


REPORTS = {
    "ouch42": [
        ouch_encode_outbound(report)
        for report in (
            {"type": "S"},
            {"type": "A", "token": token(1), "side": "B", "qty": 300, "px": 49_9900},
            {"type": "E", "token": token(1), "qty": 100, "px": 49_9800, "match_id": 7},
            {"type": "U", "prev_token": token(1), "token": token(2), "side": "B", "qty": 400, "px": 49_9900},
            {"type": "E", "token": token(2), "qty": 150, "px": 49_9900, "match_id": 8},
            {"type": "C", "token": token(2), "qty": 50},
            {"type": "J", "token": token(3)},
        )
    ],
    "ouch50": [
        ouch50_encode_outbound(report)
        for report in (
            {"type": "S"},
            {"type": "A", "user_ref": 1, "side": "B", "qty": 300, "px": 49_9900},
            {"type": "E", "user_ref": 1, "qty": 100, "px": 49_9800, "match_id": 7},
            {"type": "U", "prev_user_ref": 1, "user_ref": 2, "side": "B", "qty": 400, "px": 49_9900},
            {"type": "E", "user_ref": 2, "qty": 150, "px": 49_9900, "match_id": 8},
            {"type": "C", "user_ref": 2, "qty": 50},
            {"type": "J", "user_ref": 3},
        )
    ],
}


@pytest.fixture(params=LANGUAGES, ids=lambda language: language.protocol)
def script(request) -> Script:
    made = write_script(request.param, "SYM0", 50, "7")
    return Script(made.language, made.symbol, made.data, made.ends, made.stops, made.after, b"\0" + b"B" * 50)


def test_a_tally_is_what_the_reports_say(script, tmp_path):
    heard = tmp_path / "heard"
    heard.write_bytes(b"".join(soup_packet("S", report) for report in REPORTS[script.language.protocol]))

    told = tally(script, heard)

    assert (told.reports, told.fills, told.position) == (7, 2, 250)
    assert told.cash == -(100 * 49_9800 + 150 * 49_9900)
    assert told.orders == {1: (0, 100), 2: (200, 250), 3: (0, 0)}


def test_an_order_that_is_answered_twice_is_found(script, tmp_path):
    accepted = soup_packet("S", REPORTS[script.language.protocol][1])
    (tmp_path / "heard").write_bytes(accepted + accepted)

    with pytest.raises(LostError, match="expected every order to be answered once, found 1 again"):
        tally(script, tmp_path / "heard")


def test_a_report_that_was_lost_is_found(script, tmp_path):
    (tmp_path / "heard").write_bytes(soup_packet("S", REPORTS[script.language.protocol][2]))

    with pytest.raises(LostError, match="expected reports of orders that were accepted, found one of 1"):
        tally(script, tmp_path / "heard")


def test_a_client_goes_on_after_the_last_message_that_was_answered(script, tmp_path):
    session = Session("N1", script, tmp_path / "heard")
    reports = REPORTS[script.language.protocol][:5]

    session.take(soup_login_accepted("SOAK", 1) + b"".join(soup_packet("S", report) for report in reports))
    assert not session.is_live
    session.take(soup_packet("H", b""))

    assert session.is_live and session.sent == session.answered == script.after[2]
    with pytest.raises(LostError, match="expected to go on with report 6, found 5"):
        session.take(soup_login_accepted("SOAK", 5))
    session.close()


def test_a_script_has_the_usual_mix_and_every_part_ends_with_an_order():
    script = write_script(LANGUAGES[0], "SYM0", 5_000, "1")
    kinds = kinds_in(script)

    assert kinds.count("O") + kinds.count("U") == 5_000
    assert abs(kinds.count("X") / len(kinds) - 0.30) < 0.02 and abs(kinds.count("U") / len(kinds) - 0.05) < 0.01
    place = 0
    while place < script.messages:
        _, place = script.chunk(place)
        assert kinds[place - 1] == "O"


def kinds_in(script: Script) -> str:
    starts = [0, *script.ends[:-1]]
    return "".join(chr(script.data[start + 3]) for start in starts)
