"""From a file in an inbox to accepted reports: readers, forms, checks, registry."""

import os

# Polars' memory lies in arenas, several for each core: two are enough for our threads and give back what they held.
# Read when Polars is loaded, hence here; what an operator sets stays.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:2")
