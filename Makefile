# `make demo`, `make test` and `make lab` need Python >= 3.11, git and make, and nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(CURDIR)/$(VENV)/bin
MAX_QUBITS ?= 12
# Tests that run at once: half of their time is waiting for processes.
AT_ONCE ?= 3

# Set, every process would compile all the modules that it imports, and there are many processes.
unexport PYTHONDONTWRITEBYTECODE

# This project with its `extras`. uv takes seconds for it and pip minutes; pip steps in where uv does
# not get on, such as behind a mirror that only pip's configuration names.
INSTALL = $(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --editable ".[$$extras]" \
  || $(BIN)/python -m pip install --quiet --editable ".[$$extras]"

.PHONY: demo test test-real screenshots docs lab students bench lint clean \
  binder-lock binder-check release-check newcomer-check

# One environment for everything here, made anew when the project's needs change.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv || true
	extras=test; $(INSTALL)
	$(BIN)/python -m pilot_kernel install --sys-prefix
	touch $@

# What the demo needs, about two thirds of all kernels, so that nobody waits for the others before the
# first value. A compiled kernel holds what it took from other files, and is not compiled anew when
# they change.
$(VENV)/.warm-demo: $(VENV)/.ready $(shell find qdreamer_lab/kernels -name '*.py')
	find qdreamer_lab -name '*.nb[ic]' -delete
	$(BIN)/qdreamer-lab warm --demo
	touch $@

$(VENV)/.warm: $(VENV)/.warm-demo
	@echo 'The other kernels are compiled, once, so that nothing waits for them later on: a minute.'
	$(BIN)/qdreamer-lab warm
	touch $@

demo: $(VENV)/.warm-demo
	$(BIN)/qdreamer-lab demo --max-qubits $(MAX_QUBITS) \
	  $(if $(CIRCUIT),--circuit '$(CIRCUIT)') $(if $(OBSERVABLE),--observable '$(OBSERVABLE)')
	@$(MAKE) --no-print-directory $(VENV)/.warm
	@$(if $(CIRCUIT),:,echo 'notebook     all cells of notebooks/01_quickstart.ipynb are run now, to see that they do: up to a minute'; $(BIN)/jupyter execute --kernel_name=pilot notebooks/01_quickstart.ipynb)

test: lint $(VENV)/.warm
	$(BIN)/python -m pytest --ignore=tests/real --numprocesses $(AT_ONCE) --dist worksteal

# What needs root or system packages: a browser, SLURM, SSH, networks. .ci/run installs them; what
# is missing is skipped, and pytest says what to install. CHAOS=60 has all break down for an hour.
# tests/real/conftest.py says which of them must not run at once.
test-real: $(VENV)/.warm
	extras=test,real,docs; $(INSTALL)
	$(BIN)/python -m pytest tests/real --numprocesses 2 --dist loadgroup \
	  $(if $(CHAOS),--chaos-minutes $(CHAOS))

# Needs Chromium, like test-real. Look at the pictures before you commit them.
screenshots: $(VENV)/.warm
	extras=test,real; $(INSTALL)
	$(BIN)/python -m tests.real.screenshots
	$(BIN)/python -m tests.real.moving_picture
	$(BIN)/python -m tests.real.saved_notebook

# Guides, reference, all errors, the course: artifacts/docs/index.html.
docs: $(VENV)/.ready
	extras=docs; $(INSTALL)
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs . artifacts/docs

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The address that it prints leads to the notebook, too, for whom no browser opens.
lab: $(VENV)/.warm
	PATH="$(BIN):$$PATH" $(BIN)/jupyter lab --ServerApp.root_dir=notebooks \
	  --LabApp.default_url=/lab/tree/01_quickstart.ipynb

# The course without its solutions: what a class is given.
students: $(VENV)/.ready
	$(BIN)/jupyter nbconvert --log-level WARN --config notebooks/students.py \
	  --output-dir artifacts/course notebooks/*.ipynb
	cp -r notebooks/README.md notebooks/pictures artifacts/course

# QCut wants an older Aer, so it gets an environment of its own, with other peers beside it.
.bench/.ready: Makefile
	$(PYTHON) -m venv .bench
	.bench/bin/python -m pip install --quiet 'QCut==2.2.*' 'mqt-bench>=2' networkx \
	  'qulacs==0.6.*' 'pennylane-lightning>=0.45' 'pennylane-lightning-kokkos>=0.45'
	touch $@

# What Binder installs, to the version: made anew when the project's needs change, and now and then.
binder-lock: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --no-annotate --extra hpc --extra ibm --extra learn --extra mpi \
	  --python-version 3.11 --python-platform linux --constraint binder/base.txt \
	  --custom-compile-command 'make binder-lock' --output-file binder/requirements.txt pyproject.toml
	echo '.' >>binder/requirements.txt

# What Binder would do and what its visitors do then, on one core and with 1.5 GB. It takes minutes;
# as root the limit is enforced, else only measured. The browser needs Chromium, like test-real.
binder-check: $(VENV)/.ready
	extras=test,real; $(INSTALL)
	$(BIN)/python -m tests.real.binder

# The wheel, installed elsewhere and used: with the newest versions of all that it needs, and with the
# oldest that pyproject.toml allows.
release-check: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet uv
	rm -rf dist
	$(BIN)/uv build --quiet
	$(BIN)/python -m tests.real.release newest
	$(BIN)/python -m tests.real.release oldest

# What README has a newcomer do, in a clone of what is committed, and how long each step takes.
# Needs Chromium, like test-real.
newcomer-check: $(VENV)/.ready
	extras=test,real; $(INSTALL)
	$(BIN)/python -m tests.real.newcomer

bench: $(VENV)/.warm .bench/.ready
	extras=bench,real; $(INSTALL)
	$(BIN)/python -m benchmarks.pilot
	$(BIN)/python -m benchmarks.finder --qcut-python .bench/bin/python --prove 10 \
	  --out artifacts/cut_finder.jsonl
	$(BIN)/python -m benchmarks.finder.scale
	$(BIN)/python -m benchmarks.runtime --out artifacts/cut_runtime.jsonl
	$(BIN)/python -m benchmarks.engine --peers-python .bench/bin/python \
	  --out artifacts/engine.jsonl
	$(BIN)/python -m benchmarks.prediction --out artifacts/prediction.jsonl
	if $(BIN)/python -c 'from tests.real.lab import missing; import sys; sys.exit(missing())'; \
	  then $(BIN)/python -m benchmarks.explorer; fi

clean:
	rm -rf $(VENV) .bench .binder .mypy_cache .ruff_cache .pytest_cache .hypothesis artifacts
