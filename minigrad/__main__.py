"""`python -m minigrad`: train, predict, info, compile-kernels, run-as-torch."""

import sys

from minigrad.cli import main

sys.exit(main())
