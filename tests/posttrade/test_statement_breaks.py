"""Breaks against a clearing statement are kept: number, age and owner stay from one comparison to the next."""

import json

from tests.cli.world import World, far_strategy, openbell, wait_for

from openbell.posttrade.node_desk import OF_STATEMENTS

HEADER = "date,account,section,symbol,currency,match_id,side,qty,px,fee,amount\n"
FIRST = OF_STATEMENTS + 1


def kept(world: World) -> list[dict]:
    """What the journal has of them."""
    said = openbell("breaks", world.node_file, "--ended", "--json").stdout
    return [json.loads(line) for line in said.splitlines()]


def test_a_break_against_a_statement_keeps_its_number_age_and_owner_until_the_books_agree(tmp_path):
    with World(tmp_path) as world:
        world.write_node(strategy=far_strategy(tmp_path), strategy_class="Far")
        world.run("--live")
        world.wait_for_orders()

        def compare(rows: str, file: str, code: int) -> str:
            (tmp_path / file).write_text(HEADER + rows)
            return openbell("reconcile", world.node_file, "--statement", tmp_path / file, check=code).stdout

        flat = "2026-11-20,NODE1,position,RING,USD,,,0,,,\n"
        rows = flat + "2026-11-20,NODE1,position,OBEL,USD,,,300,,,\n2026-11-20,NODE1,cash,,USD,,,,,,5.00\n"
        assert f"{FIRST}: POSITION OBEL: we have 0, clearing statement 2026-11-20 has 300" in compare(rows, "a.csv", 1)
        opened = wait_for(lambda: found if len(found := kept(world)) == 3 else None, "three breaks in the journal")
        assert [(row["number"], row["kind"], row["closed_ns"]) for row in opened] == [
            (FIRST, "POSITION", 0),
            (FIRST + 1, "POSITION_OF_FILLS", 0),  # it names no trade that would explain it
            (FIRST + 2, "CASH", 0),
        ]

        openbell("breaks", "assign", world.node_file, FIRST, "anna", "--note", "asked", check=0)
        wait_for(lambda: kept(world)[0]["owner"] == "anna", "her name")
        assert "for anna (asked)" in compare(rows.replace(",300,", ",200,"), "b.csv", 1)
        changed = wait_for(lambda: found if (found := kept(world))[0]["theirs"] == "200" else None, "the new value")
        assert len(changed) == 3
        assert changed[0] == opened[0] | {"theirs": "200", "owner": "anna", "note": "asked"}  # its age, too

        assert "0 breaks" in compare(flat, "c.csv", 0)
        wait_for(lambda: all(row["closed_ns"] for row in kept(world)), "their end")
        assert [row["number"] for row in kept(world)] == [FIRST, FIRST + 1, FIRST + 2]
