"""What a person sees of results and breakers, and what machines get."""

from dataclasses import replace

from tests.ops.test_view import VIEW, shown

from openbell.ops.money_view import BreakerRow, MoneyRow

ACCOUNT = MoneyRow(
    name="account", realized=1_234_500, unrealized=-20_000, fees=4_500, day=1_210_000, peak=1_500_000, drawdown=290_000,
    gross=98_765_400, net=-1_000_000, margin=24_691_300, doubtful=0, unpriced=0,
)  # fmt: skip
LOSS = BreakerRow(kind="loss", scope="maker", symbol="", to="REDUCE_ONLY", threshold=50_000, observed=61_000,
                  again_below=25_000, is_tripped=True)  # fmt: skip


def test_money_is_shown_by_strategy():
    view = replace(VIEW, money=(ACCOUNT, replace(ACCOUNT, name="maker", day=-5_000, doubtful=1)))
    lines = [" ".join(line.split()) for line in shown(view, width=120)]
    assert "account +121.00 123.45 -2.00 0.45 29.00 9,876.54 -100.00 2,469.13" in lines
    assert any(line.startswith("maker -0.50 ? ") for line in lines)


def test_only_a_breaker_that_tripped_is_told():
    jump = replace(LOSS, kind="position_jump", scope="node", symbol="OBEL")
    lines = shown(replace(VIEW, breakers=(LOSS, jump, replace(LOSS, scope="taker", is_tripped=False))), width=120)
    told = [line for line in lines if line.startswith("breaker")]
    rest = "tripped: now 61,000, above 50,000 goes to REDUCE_ONLY; trips again after 25,000"
    assert told == [f"breaker loss of maker {rest}", f"breaker position_jump of node OBEL {rest}"]


def test_machines_get_both():
    data = replace(VIEW, money=(ACCOUNT,), breakers=(LOSS,)).as_dict()
    assert data["money"][0]["drawdown"] == 290_000
    assert data["breakers"][0]["to"] == "REDUCE_ONLY"
