"""One journal ends in one state, wherever it is begun and however its strategy runs; over builds: `make same-hash`."""

import json
from pathlib import Path

from tests.node import same_hash
from tests.node.same_hash import live, plan_with, tell, ways


def test_every_way_through_a_session_ends_in_one_state(seed: int, tmp_path: Path):
    name = f"ways {seed}"

    lived = live(tmp_path, plan_with(name, "interpreted", steps=1_600))
    found = ways(tmp_path)

    assert len(found) >= 6, "no way from three snapshots"
    assert found == dict.fromkeys(found, lived)


def test_a_build_that_ends_otherwise_is_told(tmp_path: Path, capsys):
    def keep(build: str, state_hash: str, differs_at: int = 0) -> bool:
        line = {"build": build, "core": build, "ways": {"from the first frame": [state_hash, differs_at]}}
        with (tmp_path / "builds.jsonl").open("a") as out:
            print(json.dumps(line), file=out)
        return tell(tmp_path)

    assert keep("release", "00ff")
    assert keep("debug", "00ff")
    assert not keep("debug", "00ff"), "the same build twice proves nothing"
    assert not keep("sanitizers", "00fe")
    assert "2 ends" in capsys.readouterr().out


def test_a_strategy_that_says_something_else_is_seen(seed: int, tmp_path: Path, monkeypatch):
    live(tmp_path, plan_with(f"other {seed}", "interpreted", steps=1_600))
    source = Path(same_hash.strategies.__file__).read_text()
    other = tmp_path / "strategies.py"
    other.write_text(source.replace("draw < 0.8", "draw < 0.5"))
    monkeypatch.setattr(same_hash.strategies, "__file__", str(other))

    found = ways(tmp_path)

    assert found["strategy run again, interpreted"].differs_at > 0
    assert found["strategy run again, interpreted"] == found["strategy run again, compiled"]
    assert found["journal from the first frame"].differs_at == 0
