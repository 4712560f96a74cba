"""Promises about addresses: found as the units of the day, or said to be several, or none."""

from datetime import date, timedelta

import pytest

from services.routing.domain.directory.places import Places
from shared.contracts.directory import Label, Unit

MERGER = date(2025, 7, 1)
EVE = MERGER - timedelta(days=1)


def place(code, name, parent=None, **more):
    return Unit(code=code, name=Label(vi=name), level=3, parent=parent, **more)


PLACES = Places(
    [
        place("p", "Tỉnh Khuê Giang", aliases=("Khuê Giang cũ",)),
        place("d", "Huyện Sông Mây", "p", valid_to=MERGER),
        place("t", "Thành phố Sông Mây", "p", valid_to=MERGER),
        place("w1", "Phường 1", "t", valid_to=MERGER),
        place("w11", "Phường 11", "t", valid_to=MERGER),
        place("hoa", "Xã Đồng Hòa", "d", valid_to=MERGER),
        place("hoa-ward", "Phường Đồng Hòa", "d", valid_to=MERGER),
        place("la", "Xã Bình Lã", "d", valid_to=MERGER),
        place("la2", "Xã Bình La", "d", valid_to=MERGER),
        place("new", "Phường Sông Mây", "p", valid_from=MERGER),
    ]
)


def codes(*names, on=EVE):
    return [unit.code for unit in PLACES.find(names, on)]


@pytest.mark.parametrize("ward", ["Phường 1", "phuong 01", "P.1", "P 01", "PHƯỜNG  1"])
def test_kinds_marks_and_zeros_may_be_written_in_any_way(ward):
    assert codes(ward, "TP. Sông Mây", "Khue Giang") == ["w1"]


def test_another_name_of_the_unit_is_a_name():
    assert codes("P.11", "Sông Mây", "Khuê Giang cũ") == ["w11"]


def test_a_kind_that_is_written_tells_two_apart():
    assert codes("Phường Dong Hoa", "Sông Mây", "Khuê Giang") == ["hoa-ward"]


def test_several_that_fit_are_all_told():
    assert codes("Đồng Hòa", "Sông Mây", "Khuê Giang") == ["hoa", "hoa-ward"]
    assert codes("xa binh la", "song may", "khue giang") == ["la", "la2"]


def test_marks_that_are_written_tell_two_apart():
    assert codes("Bình Lã", "Sông Mây", "Khuê Giang") == ["la"]


@pytest.mark.parametrize("names", [("Đồng Hòa", "Núi Cao", "Khuê Giang"), ("Đồng",), ("",), ()])
def test_every_name_must_fit_as_a_whole(names):
    assert codes(*names) == []


def test_a_level_too_many_fits_nobody():
    assert codes("Khuê Giang", "Việt Nam") == []


def test_names_are_those_of_the_day():
    assert codes("P.1", "Sông Mây", "Khuê Giang", on=MERGER) == []
    assert codes("Phường Sông Mây", "Khuê Giang", on=MERGER) == ["new"]
