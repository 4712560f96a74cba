"""A linear program over withheld cells, solved by HiGHS: how little or how much a cell can be."""

from collections.abc import Sequence

import highspy
import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

TOLERANCE = 1e-6


class NoSolution(ArithmeticError):
    """The equations contradict one another, or the solver gave up; says which."""


class _Silent(highspy.Highs):
    def enableCallbacks(self) -> None:  # noqa: N802
        """Its constructor calls this first, and it would print who made the solver."""
        self.silent()


class Program:
    """`0 <= x <= most`, and each line of places and factors adds up to its right-hand side."""

    def __init__(
        self,
        count: int,
        lines: Sequence[tuple[Sequence[int], Sequence[int]]],
        right: Sequence[int],
        most: float,
    ) -> None:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = count, len(lines)
        model.col_cost_ = np.zeros(count)
        model.col_lower_, model.col_upper_ = np.zeros(count), np.full(count, most)
        model.row_lower_ = model.row_upper_ = np.array(right, dtype=float)
        start = np.zeros(len(lines) + 1, dtype=np.int32)
        start[1:] = np.cumsum([len(places) for places, _ in lines])
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = start
        model.a_matrix_.index_ = np.array([p for each, _ in lines for p in each], dtype=np.int32)
        model.a_matrix_.value_ = np.array([f for _, each in lines for f in each], dtype=float)
        self._solver = _Silent()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("threads", 1)
        self._solver.passModel(model)
        self._places = np.arange(count, dtype=np.int32)

    def least(self, cost: Reals) -> Reals:
        """A solution in which the cost is least. Raises `NoSolution`."""
        self._solver.changeColsCost(len(cost), self._places, cost)
        self._solver.run()
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise NoSolution(self._solver.modelStatusToString(status))
        return np.array(self._solver.getSolution().col_value)
