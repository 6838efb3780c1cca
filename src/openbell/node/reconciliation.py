"""`[reconciliation]` and `[sessions.reconciliation]` of a node's file: whose books ours are compared with."""

from collections.abc import Iterable

from pydantic import Field

from openbell.config import Problem, Settings
from openbell.config_types import AddressText, SecretText


class ReconciliationSettings(Settings):
    """`[reconciliation]`: whose books ours are compared with, all day; see docs/post-trade.md.

    Of several sessions each has its own, `[sessions.reconciliation]`.
    """

    account: str = Field(min_length=1, max_length=10, description="name of the account at the venue")
    venue: AddressText | None = Field(default=None, description="control address of a venue that states its ledger")
    drop_copy: AddressText | None = Field(default=None, description="where a drop copy logs in")
    user: str = Field(default="", max_length=6, description="of the drop copy")
    password: SecretText | None = Field(default=None, description='"env:NAME" or "file:PATH"')
    every_ms: int = Field(default=100, ge=10, le=60_000)
    grace_ms: int = Field(default=300, ge=0, le=60_000, description="how long a difference stands before it is a break")

    def cross_check(self) -> Iterable[Problem]:
        """Yield a comparison with nobody, and half a login."""
        if self.venue is None and self.drop_copy is None:
            yield Problem(("reconciliation", "account"), "nobody to compare with; give venue, drop_copy or both")
        if self.drop_copy is not None and (not self.user or self.password is None):
            yield Problem(
                ("reconciliation", "drop_copy"), "a drop copy logs in by a name of its own; give user and password"
            )


def round_ms(settings: Iterable[ReconciliationSettings]) -> int:
    """How often everybody is compared with: as often as one of them asks for it; 0 where there is nobody."""
    return min((one.every_ms for one in settings), default=0)
