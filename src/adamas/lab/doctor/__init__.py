"""What went wrong in a run, where, and what to try, from a second run with every step recorded."""

from adamas.lab.doctor.findings import LEAST, diagnose
from adamas.lab.doctor.measured import agreeing, helped, hopeless

__all__ = ["LEAST", "agreeing", "diagnose", "helped", "hopeless"]
