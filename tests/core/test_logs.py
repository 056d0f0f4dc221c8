"""The log file."""

import subprocess
import sys

import pytest

CODE = """
from pathlib import Path
from core.logs import sentence_for, start_logging
start_logging(Path("/dev/full"))
print(sentence_for(ValueError("a bug")))
"""


@pytest.mark.linux
def test_on_a_full_disk_the_user_is_told_and_stderr_stays_clean() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Something went wrong inside Continuo.")
    assert done.stderr == ""


def test_where_there_can_be_no_log_file_its_lines_go_to_stderr() -> None:
    code = "import logging, sys; from pathlib import Path; from core.logs import start_logging\n"
    code += "print(start_logging(Path('/dev/null/log'), otherwise=logging.StreamHandler()))\n"
    code += "logging.getLogger('continuo').error('a fault')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
    assert "a fault" in done.stderr
