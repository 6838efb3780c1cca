"""Faults of the exchange's own desk against a live node: books are equal after each session, and a loss is seen."""

import random

import pytest

from chaos.desk_faults import ACCOUNT
from chaos.races import cancel_all, expect_agreement, one_after_the_other, one_world, set_going
from chaos.world import wait_for

LOOK_S = 1.0


def test_races_of_reports_end_with_equal_books_and_one_that_nobody_tells_is_seen(seed):
    with one_world(random.Random(seed)) as (world, is_cancelling):
        rows = [*one_after_the_other(world, seed, range(2), is_cancelling)]
        print(rows)
        assert all(row["faults"] and row["orders"] for row in rows), "there was no race"

        set_going(world)
        world.ask("fault", fault="lose-ack", on=ACCOUNT, of="E", how="remove")
        wait_for(lambda: not world.ask("fault")["faults"], "an execution to be lost for good")
        cancel_all(world, "stop")
        with pytest.raises(AssertionError, match=r"node and venue to agree.*positions"):
            expect_agreement(world, LOOK_S)
