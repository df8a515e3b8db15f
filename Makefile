# The commands of the kit. They need python3 (3.11 to 3.13) and make, and bring the rest.

# One process a core of a small machine; a file's tests stay together, in the order of conftest.py.
PARALLEL = -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help lab test soak serve bench check lock clean system base tests benches

help:
	@echo "make lab      open the lessons in JupyterLab"
	@echo "make serve    train, package and serve a model on http://127.0.0.1:3000"
	@echo "make test     run every kind of test"
	@echo "make check    lint, types, notebook guards, direction of imports"
	@echo "make soak     the long campaigns, with their full counts"
	@echo "make bench    time training, partitioning and serving, and measure accuracy"
	@echo "make lock     renew the locked versions in requirements/"
	@echo "make system   install the Debian packages that the tests need"
	@echo "make clean    remove what make made (work/ and your models stay)"

lab: base
	@.venv/bin/amaas lab

serve: base
	@.venv/bin/amaas serve digits --port 3000

# Where CI says so, the programs that the tests need are installed too.
test: tests
	@test "$$CI" != true || tools/debian-packages
	@.venv-test/bin/python -m pytest $(PARALLEL) --nbval notebooks tests

soak: tests
	@AMAAS_SOAK=1 AMAAS_SOAK_REPORT=benchmarks/results/soak.md \
		.venv-test/bin/python -m pytest $(PARALLEL) tests

bench: benches
	@.venv-bench/bin/python benchmarks/training.py
	@.venv-bench/bin/python benchmarks/partition.py
	@.venv-bench/bin/python benchmarks/accuracy.py
	@.venv-bench/bin/python benchmarks/serving_start.py

check: tests
	@.venv-test/bin/ruff check .
	@.venv-test/bin/ruff format --check .
	@.venv-test/bin/mypy
	@.venv-test/bin/python -m pytest -q tests/project/test_house.py tests/project/test_notebooks.py

lock: base
	@.venv/bin/python tools/lock.py

clean:
	rm -rf .venv .venv-test .venv-bench build dist artefacts
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

system:
	@tools/debian-packages

base:
	@tools/python tools/environment.py base

tests:
	@tools/python tools/environment.py test

benches:
	@tools/python tools/environment.py bench
