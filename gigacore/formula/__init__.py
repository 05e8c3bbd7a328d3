"""Formulas of administrators: a closed language over one record's own fields, typed when saved, bounded when run."""

from gigacore.formula.checking import MOST_CHARACTERS
from gigacore.formula.compiling import RESULTS, Formula, compile_formula, usable
from gigacore.formula.functions import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "MOST_CHARACTERS", "RESULTS", "Formula", "Function", "compile_formula", "usable"]
