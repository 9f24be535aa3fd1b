"""An oracle for optimizers: which formula one computes, what its arguments do, what it loses.

>>> import torch
>>> from adamas.check import check
>>> check(torch.optim.Adam).rule
'adam'
"""

from adamas.check.checking import check
from adamas.check.report import Report
from adamas.check.subject import CheckError

__all__ = ["CheckError", "Report", "check"]
