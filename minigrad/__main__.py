"""`python -m minigrad`: train, predict, info."""

import sys

from minigrad.cli import main

sys.exit(main())
