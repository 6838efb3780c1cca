"""A node for hours at a steady rate of market data: memory, descriptors and latency must not grow.

    python -m bench.soak [--hours 2] [--rate 50000] [--seed 1] [--evidence FILE] [--folder DIR]

A paper node of four instruments with its archiver, snapshots and control process hears a market without an end
(market.py) and trades all the time. The exit code is 1 if anything grows, is lost, or does not end in good order.
Samples go to the evidence file as they are made, and at the end a line that sums them up; a picture lies beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

from bench.harness import REPO
from bench.limits import limits_toml
from bench.processes import START_S, free_port, start, wait_until_it_runs
from bench.soak.judging import judge, picture, summary
from bench.soak.watch import Watch
from bench.stamp import stamp

SYMBOLS = ("SOKA", "SOKB", "SOKC", "SOKD")
SAMPLE_S = 10.0
FLOW_HOURS = 0.1
NODE = """
[node]
name = "soak"
id = 1
mode = "paper"
run_dir = "{hot}"
journal_dir = "{folder}/journal"
limits = "{folder}/limits.toml"
durability = "local"
wait = "block"
arm_at_start = "full"
segment_mib = 64
orders_per_second_max = 100000
[retention]
plain_segments = 4
keep_gib = 2.0
[[feeds]]
name = "f"
kind = "itch_moldudp64"
listen = "127.0.0.1:{port}"
retransmit = "127.0.0.1:{requests}"
receive_buffer_kib = 65536
retry_ms = 50
tries_max = 100
"""
STRATEGY = """
[[strategies]]
name = "steady"
id = 1
file = "{file}"
class = "Steady"
instruments = {symbols}
"""


def main() -> int:
    """Soak, print what was found, write the picture; 1 if something grew or was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=50_000.0, help="market-data messages a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--evidence", type=Path, help="one line a sample; kept in the folder otherwise")
    parser.add_argument("--folder", type=Path, help="where a folder for the journal is made, 3 GB")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="openbell-soak-", dir=asked.folder))
    evidence = asked.evidence or folder / "soak.jsonl"
    console = Console(width=None if sys.stdout.isatty() else 120)
    code = stamp()  # as it is when it begins
    console.print(f"seed {asked.seed}: {asked.rate:,.0f} messages/s for {asked.hours:g} h; samples in {evidence}")
    samples, sent, ended = soak(asked.hours, asked.rate, asked.seed, folder, evidence, console)
    problems = judge(samples, sent, ended, asked.rate)
    evidence.with_suffix(".svg").write_text(picture(samples, asked.rate))
    found = {"sent": sent, "ended": ended, "load": os.getloadavg()[0], **summary(samples)}
    with evidence.open("a") as file:
        row = {"kind": "soak", **code, "seed": asked.seed, "rate": asked.rate, "problems": problems}
        print(json.dumps(row | found), file=file)
    console.print_json(data=found)
    for problem in problems:
        console.print(f"[red]{problem}[/red]")
    console.print(f"seed {asked.seed}: {len(problems) or 'no'} problems")
    if not problems and asked.evidence:
        shutil.rmtree(folder)
    return int(bool(problems))


def soak(
    hours: float, rate: float, seed: int, folder: Path, evidence: Path, console: Console
) -> tuple[list[dict[str, float]], dict[str, Any], dict[str, Any]]:
    """The samples, what the sender sent, and how the node summed itself up."""
    base = Path("/dev/shm")
    hot = Path(tempfile.mkdtemp(prefix="openbell-soak-", dir=base if base.is_dir() else None))
    port = free_port()
    sender = start("bench.soak.sender", port, rate, seed, FLOW_HOURS, *SYMBOLS, stdin=PIPE, stdout=PIPE)
    node = None
    try:
        assert sender.stdin and sender.stdout
        requests = int(sender.stdout.readline())
        node = start("openbell", "run", _configured(folder, hot / "node", port, requests), "--json", stdout=PIPE)
        wait_until_it_runs(hot / "node/counters", node)
        sender.stdin.write("go\n")
        sender.stdin.flush()
        samples = _watch(
            Watch(node.pid, hot / "node", folder / "journal"), hours * 3_600, evidence, console, (sender, node)
        )
        node.send_signal(signal.SIGINT)
        ended = json.loads(node.communicate(timeout=START_S)[0])
        sender.stdin.close()
        return samples, json.loads(sender.stdout.readline()), ended
    finally:
        for process in (sender, node):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(hot, ignore_errors=True)


def _configured(folder: Path, hot: Path, port: int, requests: int) -> Path:
    text = NODE.format(folder=folder, hot=hot, port=port, requests=requests)
    text += "".join(f'[[instruments]]\nsymbol = "{symbol}"\n' for symbol in SYMBOLS)
    text += STRATEGY.format(file=REPO / "bench/strategies/steady.py", symbols=json.dumps(SYMBOLS))
    (folder / "node.toml").write_text(text)
    (folder / "limits.toml").write_text(limits_toml(*SYMBOLS, position_max_lots=1_000))
    return folder / "node.toml"


def _watch(
    watch: Watch, seconds: float, evidence: Path, console: Console, processes: Sequence[subprocess.Popen[str]]
) -> list[dict[str, float]]:
    samples: list[dict[str, float]] = []
    began = before = time.monotonic()
    bar = Progress(*Progress.get_default_columns(), TimeElapsedColumn(), TimeRemainingColumn(), console=console)
    with bar, evidence.open("w") as file:
        task = bar.add_task("soak", total=seconds)
        while before - began < seconds:
            time.sleep(max(0.0, min(SAMPLE_S, began + seconds - before)))
            if any(process.poll() is not None for process in processes):
                raise RuntimeError("expected sender and node to run, found one of them ended; see its words above")
            now = time.monotonic()
            sample = {"hours": (now - began) / 3_600, "seconds": now - before, **watch.sample(), "armed_again": 0.0}
            if not sample["orders"]:
                sample["armed_again"] = float(_arm_again(watch.hot))
            samples.append(sample)
            print(json.dumps(sample), file=file, flush=True)
            bar.update(task, completed=now - began)
            before = now
    return samples


def _arm_again(hot: Path) -> bool:
    """A disk that stands still for two seconds takes the node to CANCEL_ONLY; whether it could be armed again."""
    words = (sys.executable, "-m", "openbell", "arm", hot, "full", "--all", "--why", "the disk is back")
    return subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
