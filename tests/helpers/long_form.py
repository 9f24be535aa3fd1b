"""Whether tests that have a short and a long form run the long one.

With `ADAMAS_LONG=1` such a test looks at everything it can, for minutes; without it at a part of
that, so that the whole suite stays quick. Run one file at a time.
"""

import os

LONG = bool(os.environ.get("ADAMAS_LONG"))
