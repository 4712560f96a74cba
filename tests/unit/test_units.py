"""Promises about reading the state's tables of units; every name here is made up."""

import json
from datetime import date

import pytest

from deploy.units import MERGER, NotSuchATable, units
from services.routing.domain.directory.lineage import Lineage

EVE = date(2025, 6, 30)
LATER = date(2026, 5, 1)
BEFORE = """\ufeffMã,Tên,Cấp,Mã QH,Quận Huyện,Mã TP,Tỉnh / Thành Phố
00001,Xã Mây,Xã,001,Huyện Gió,01,Tỉnh Khuê
00002,Xã Sương,Xã,001,Huyện Gió,01,Tỉnh Khuê
00003,Xã Mưa,Xã,002,Huyện Bão,02,Tỉnh Giang
00009,Xã Lạc,Xã,002,Huyện Bão,02,Tỉnh Giang
"""
MERGED = """new_province,new_ward,new_ward_code,old_ward,old_ward_code,note,old_district,old_province
Tỉnh Khuê Giang (02),Xã Hòa,00002,Xã Mây,00001,Nhập toàn bộ,Huyện Gió (001),Tỉnh Khuê (01)
Tỉnh Khuê Giang (02),Xã Hòa,00002,Xã Sương,00002,Nhập một phần,Huyện Gió (001),Tỉnh Khuê (01)
Tỉnh Khuê Giang (02),Xã Mưa,00003,Xã Sương,00002,Nhập một phần,Huyện Gió (001),Tỉnh Sai (09)
Tỉnh Khuê Giang (02),Xã Mưa,00003,Xã Mưa,00003,Giữ nguyên,Huyện Bão (002),Tỉnh Giang (02)
Tỉnh Khuê Giang (02),Đặc khu Đảo,00007,,,Cả huyện,Huyện Đảo (003),Giang (02)
Tỉnh Khuê Giang (02),Đặc khu Đảo,00007,Bãi bồi,,Nhập toàn bộ,Huyện Bão (002),Giang (02)
"""


def later(*wards):
    listed = [{"Code": code, "FullName": name} for code, name in wards]
    return json.dumps([{"Code": "02", "Wards": listed}])


@pytest.fixture
def lineage():
    return Lineage(units(BEFORE, MERGED))


def test_a_code_is_read_as_two_units_of_two_days(lineage):
    assert lineage.meant("00002", EVE).name.vi == "Xã Sương"
    assert lineage.meant("00002", MERGER).name.vi == "Xã Hòa"


@pytest.mark.parametrize(
    ("code", "heirs"),
    [
        ("00001", ("00002",)),  # merged
        ("00002", ("00002", "00003")),  # split
        ("00003", ("00003",)),  # kept
        ("01", ("02",)),  # a province
        ("001", ("02",)),  # a district
        ("003", ("00007",)),  # a district that became a commune
        ("00009", ("02",)),  # a commune that the table leaves out
    ],
)
def test_successors_are_those_of_the_table(lineage, code, heirs):
    assert lineage.resolve(code, EVE, MERGER) == heirs


def test_a_province_miswritten_in_the_table_is_that_of_the_wards_list():
    before = BEFORE + "00005,Xã Xa,Xã,004,Huyện Núi,03,Tỉnh Xa\n"
    row = "Tỉnh Xa (03),Xã Xa,00005,Xã Xa,00005,Giữ nguyên,Huyện Núi (004),Tỉnh Giang (02)\n"
    there = Lineage(units(before, MERGED + row))

    assert there.resolve("02", EVE, MERGER) == ("02",)
    assert there.resolve("03", EVE, MERGER) == ("03",)


def test_a_later_list_corrects_a_code_and_a_name():
    listed = later(("00002", "Phường Hòa"), ("00004", "Xã Mưa"), ("00007", "Đặc khu Đảo"))
    there = Lineage(units(BEFORE, MERGED, listed, LATER))

    assert there.meant("00002", LATER).name.vi == "Phường Hòa"
    assert there.resolve("00001", EVE, LATER) == ("00002",)
    assert there.resolve("00003", EVE, LATER) == ("00004",)


def test_another_spelling_of_a_name_is_no_new_name():
    listed = later(("00002", "Xã Hoà"), ("00003", "Xã Mưa"), ("00007", "Đặc khu Đảo"))

    assert units(BEFORE, MERGED, listed, LATER) == units(BEFORE, MERGED)


@pytest.mark.parametrize(
    ("before", "merged", "said"),
    [
        ("a,b\n", MERGED, "Mã"),
        (BEFORE, "a,b\n", "new_ward_code"),
        (BEFORE, MERGED.replace("Giang (02),Xã Mưa", "Giang,Xã Mưa"), "line 4"),
    ],
)
def test_what_is_no_such_table_is_said(before, merged, said):
    with pytest.raises(NotSuchATable, match=said):
        units(before, merged)
