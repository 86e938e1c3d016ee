"""`python -m minigrad`: train, predict, info, compile-kernels."""

import sys

from minigrad.cli import main

sys.exit(main())
