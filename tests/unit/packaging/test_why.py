"""Why a package is in an archive, step by step."""

from adapters.packaging.building import plans
from adapters.packaging.why import why
from tests.unit.packaging.house import TALLY, House


def test_the_imports_that_lead_to_a_library_are_told_in_order(house: House) -> None:
    [planned] = plans(house.job(), [TALLY])
    assert why(planned, "numpy") == [
        "functions.tally.handler line 1 imports shared.counting",
        "shared.counting line 2 imports numpy",
        "numpy 1.0",
    ]


def test_a_library_of_a_library_is_told_with_who_needs_it(house: House) -> None:
    [planned] = plans(house.job(), [TALLY])
    assert why(planned, "jmespath")[-1] == "botocore 1.0 → jmespath 1.0"


def test_everyone_who_imports_it_is_told(house: House) -> None:
    house.write("functions/tally/handler.py", "import numpy\nfrom shared.counting import count\n")
    [planned] = plans(house.job(), [TALLY])
    assert why(planned, "numpy") == [
        "functions.tally.handler line 1 imports numpy",
        "numpy 1.0",
        "also imported by shared.counting:2",
    ]


def test_a_module_of_ours_may_be_asked_for_too(house: House) -> None:
    [planned] = plans(house.job(), [TALLY])
    assert why(planned, "shared.counting") == [
        "functions.tally.handler line 1 imports shared.counting",
        "shared.counting",
    ]


def test_what_is_not_there_has_no_reason(house: House) -> None:
    [planned] = plans(house.job(), [TALLY])
    assert why(planned, "duckdb") == []
    assert why(planned, "shared.unused") == []
