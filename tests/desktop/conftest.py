"""Windows of tests are painted into memory, unless the environment says where else."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported
