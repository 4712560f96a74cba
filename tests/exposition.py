"""Every metric that the services export, and what Prometheus would make of it over time."""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

for _service in ("intake", "routing", "reporting"):
    importlib.import_module(f"services.{_service}.app")

OURS = "langnghe_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One as it is exported: a counter's name ends in `_total`."""

    name: str
    said: str
    labels: tuple[str, ...]


def exported() -> list[Metric]:
    """Sorted by name."""
    return sorted(_metrics(), key=lambda metric: metric.name)


def _metrics() -> Iterator[Metric]:
    for collector in list(REGISTRY._collector_to_names):
        describe = getattr(collector, "describe", None)
        for family in describe() if describe else ():
            if not family.name.startswith(OURS):
                continue
            suffix = "_total" if family.type == "counter" else ""
            labels = getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ())
            yield Metric(family.name + suffix, family.documentation, tuple(labels))


def scraped() -> dict[str, float]:
    """By series, as text: what `/metrics` says now of what is ours."""
    found = {}
    for family in text_string_to_metric_families(generate_latest().decode()):
        for sample in family.samples:
            if sample.name.startswith(OURS) and not sample.name.endswith("_created"):
                labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
                found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def over_time(scrapes: Sequence[tuple[dict[str, float], int]]) -> list[dict[str, str]]:
    """Each scrape for so many minutes, one after the other, as `promtool test rules` reads it.

    A series that a scrape has not is missing then, as it would be.
    """
    names = dict.fromkeys(name for scrape, _ in scrapes for name in scrape)
    return [
        {
            "series": name,
            "values": " ".join(
                value
                for scrape, minutes in scrapes
                for value in [str(scrape[name]) if name in scrape else "_"] * minutes
            ),
        }
        for name in names
    ]
