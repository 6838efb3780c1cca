"""Exchanges and nodes whose books can be compared by others."""

from tests.cli.world import World, openbell


class CopiedWorld(World):
    """With a drop copy of the node's account."""

    more_exchange = '[[drop_copies]]\nname = "COPY"\npassword = "plain:demo"\naccounts = ["NODE1"]\n'

    def others(self):
        where = ("--venue", self.ready["control"], "--account", "NODE1")
        return (*where, "--drop-copy", self.ready["order_entry"], "--user", "COPY", "--password", "plain:demo")

    def fault(self, *words):
        openbell("exchange", "fault", *words, "--control", self.ready["control"], check=0)


class ChargingWorld(CopiedWorld):
    """Makers are paid .0021 a share, takers pay .0030, and the node's file says so too."""

    more_exchange = CopiedWorld.more_exchange + (
        "[[fees.tables]]\neffective = 2020-01-01\n"
        'tiers = [{ volume_min = 0, per_share = { maker = "-0.0021", taker = "0.0030" } }]\n'
    )

    def write_node(self, **options):
        super().write_node(**options)
        table = '[[fees]]\nflags = "A"\nper_lot = "-0.0021"\n[[fees]]\nflags = "R"\nper_lot = "0.0030"\n'
        self.node_file.write_text(self.node_file.read_text() + table)
