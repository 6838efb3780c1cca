"""A node does not start on a journal that lies: damage below the durable watermark halts it, with the position."""

from chaos.world import World, wait_for
from openbell._native import JournalReader


def test_damage_below_the_watermark_halts_and_names_the_place(tmp_path, hot, repo, seed):
    with World(
        tmp_path,
        hot,
        cancel_on_disconnect=True,
        seed=seed % 2**31,
        strategy=repo / "strategies" / "market_maker.py",
        durability="local",
    ) as world:
        world.start()
        wait_for(lambda: world.alive() and world.ledger()["fills"], "the node to trade")
        reader = JournalReader(str(tmp_path / "journal"), str(hot), False)
        wait_for(lambda: reader.durable_seq > 100, "frames to be durable")
        world.kill9()
        world.snapshots.kill()
        (segment,) = sorted(hot.glob("*.seg"))[:1]
        with segment.open("r+b") as file:
            file.seek(4096 + 3000)  # in the first frames, long durable
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0x10]))

        world.start()
        assert world.trading is not None
        assert world.trading.wait() == 2
        said = (tmp_path / "openbell.node.trading.log").read_text()
        assert "journal is damaged" in said
        assert segment.name in said
        wait_for(lambda: not world.venue_view()["orders"], "the dead node's orders to be gone")
