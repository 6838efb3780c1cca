"""`make compare ARGS="--operations 1000000 --seed 7"`: the engine against its oracle, for as long as you like."""

import argparse
import random
import sys
from itertools import count

from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from exchange.comparison.run import EngineDiffersError, run_sequence


def main() -> int:
    parser = argparse.ArgumentParser(prog="make compare", description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**9)))
    arguments = parser.parse_args()
    print(f'seed {arguments.seed}: make compare ARGS="--operations {arguments.operations} --seed {arguments.seed}"')
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("operations", total=arguments.operations)
        done = 0
        for number in count():
            try:
                done += run_sequence(f"{arguments.seed} {number}")
            except EngineDiffersError as found:
                progress.stop()
                print(found)
                return 1
            progress.update(bar, completed=min(done, arguments.operations))
            if done >= arguments.operations:
                break
    print(f"{done} operations, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
