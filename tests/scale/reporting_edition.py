"""Protects and attacks the public edition of a whole province's forms, and prints its figures.

Run `python -m tests.scale.reporting_edition`. 3,355 units (a root, 34 units, 3,320 below them) in
the three forms of Viet Nam's rulebook, with cases by unit from a skewed distribution.
"""

import argparse
import json
import time
from dataclasses import replace

from services.reporting.domain.disclosure import Knowledge, attack, protect
from tests.examples_disclosure import cells_of, closing
from tests.examples_reporting import FORMS

MIDDLE, LEAVES = 34, 3_320


def measure(threshold: int, mean: float, knowledge: Knowledge) -> dict[str, object]:
    internal = closing(3, MIDDLE, LEAVES, mean)
    began, clock = time.perf_counter(), time.process_time()
    protected = protect(internal, threshold, knowledge)
    shown = time.perf_counter()
    found = attack(protected.reports, Knowledge.of(FORMS))
    attacked, processor = time.perf_counter(), time.process_time() - clock
    true, out = cells_of(internal), cells_of(protected.reports)
    secret = [each for each in true if f"{each[0]}.{each[3]}" not in knowledge.exempt]
    return {
        "units": 1 + MIDDLE + LEAVES,
        "mean cases": mean,
        "threshold": threshold,
        "stocks": len(knowledge.stocks),
        "protected in seconds": round(shown - began, 1),
        "attacked in seconds": round(attacked - shown, 1),
        "of a processor, both": round(processor, 1),
        "found": len(found),
        "figures": len(secret),
        "below the threshold": share(0 < true[each] < threshold for each in secret),
        "shown": share(out.get(each) is not None for each in secret),
        "forms without": protected.without,
    }


def share(holds) -> float:
    each = list(holds)
    return round(sum(each) / len(each), 3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threshold", type=int, default=10)
    parser.add_argument("--mean", type=float, default=40)
    parser.add_argument("--adjoining", action="store_true", help="As if public periods adjoined.")
    args = parser.parse_args()
    known = Knowledge.of(FORMS)
    knowledge = known if args.adjoining else replace(known, stocks=())
    print(json.dumps(measure(args.threshold, args.mean, knowledge), indent=2))


if __name__ == "__main__":
    main()
