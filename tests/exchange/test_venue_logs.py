"""The logs of the venue: who has news, drop copies, and reports that are diverted and settled."""

from tests.exchange.harness import enter

from openbell._native import MessageLog, VenueCore, itch_decode, ouch_decode_outbound, ouch_encode_inbound, soup_packets


def open_venue(accounts):
    venue = VenueCore([("OBEL", 100, 100)], 0, 1000, 10_000, 100_000)
    numbers = [venue.add_account(internal=False) for _ in range(accounts)]
    return venue, numbers


def payloads(log: MessageLog):
    return [payload for _, payload in soup_packets(log.sequenced(1, 1 << 24)[0], 1000)[0]]


def types(log):
    return "".join(ouch_decode_outbound(payload)["type"] for payload in payloads(log))


def order(venue, account, token, **terms):
    venue.receive(account, ouch_encode_inbound(enter(token, **terms)), 1)


def test_an_account_with_news_is_named_once_until_it_is_taken():
    venue, (a, b, c) = open_venue(3)
    venue.open_day(0)
    assert venue.take_changed_accounts() == [a, b, c]

    order(venue, c, "C1", side="S")
    order(venue, a, "A1")

    assert venue.take_changed_accounts() == [c, a]
    assert venue.take_changed_accounts() == []


def test_a_drop_copy_has_every_report_of_its_accounts_in_the_order_they_happened():
    venue, (a, b, c) = open_venue(3)
    copy = venue.add_drop_copy([(a, "A".ljust(10)), (b, "B".ljust(10))])
    venue.open_day(0)
    order(venue, a, "A1", side="S")
    order(venue, c, "C1", side="S")
    order(venue, b, "B1", qty=150)

    heard = [(p[:10], ouch_decode_outbound(p[10:])["type"]) for p in payloads(venue.drop_copy(copy))]

    a_name, b_name = b"A".ljust(10), b"B".ljust(10)
    assert heard == [
        (a_name, "S"), (b_name, "S"), (a_name, "A"), (b_name, "A"), (a_name, "E"), (b_name, "E"), (b_name, "E"),
    ]  # fmt: skip
    of_b = [p[10:] for p in payloads(venue.drop_copy(copy)) if p[:10] == b_name]
    assert of_b == payloads(venue.reports(b))


def test_a_diverted_report_stands_in_the_log_as_it_is_settled():
    venue, (a, _) = open_venue(2)
    copy = venue.add_drop_copy([(a, "A".ljust(10))])
    venue.open_day(0)
    venue.divert(a, True)
    order(venue, a, "A1", side="S")
    order(venue, a, "A2", tif=0, qty=50)
    accepted, dead = venue.diverted(a)[:2]
    assert types(venue.reports(a)) == "S"

    venue.take_changed_accounts()
    venue.settle(a, [dead, accepted])

    assert payloads(venue.reports(a))[1:] == [dead, accepted]
    assert venue.take_changed_accounts() == [a]
    assert venue.diverted(a) == []
    assert [p[10:] for p in payloads(venue.drop_copy(copy))][1:3] == [accepted, dead]


def test_what_is_still_diverted_returns_when_the_diversion_ends():
    venue, (a,) = open_venue(1)
    venue.open_day(0)
    venue.divert(a, True)
    order(venue, a, "A1")
    venue.take_changed_accounts()

    venue.divert(a, False)

    assert venue.take_changed_accounts() == [a]
    assert types(venue.reports(a)) == "SA"
    order(venue, a, "A2")
    assert types(venue.reports(a)) == "SAA"


def test_the_feed_is_diverted_without_an_account():
    venue, (a,) = open_venue(1)
    venue.open_day(0)
    first = venue.itch_next
    venue.divert(None, True)
    order(venue, a, "A1")
    assert venue.itch_next == first

    [add] = venue.diverted(None)
    venue.settle(None, [add, add])

    assert [itch_decode(venue.itch_message(n))["type"] for n in (first, first + 1)] == ["A", "A"]
    assert venue.itch_next == first + 2
