# Written for GNU make 3.81 (macOS has it) and later. Every path is relative and quoted: the
# checkout may lie under a path with spaces.
.DEFAULT_GOAL := help
.PHONY: help run test check fmt screenshot bench bench-health bench-live lock clean

PY := .venv/bin/python
BASE := sh requirements/install.sh base
DEV := sh requirements/install.sh dev
BENCH = $(PY) -m benchmarks.run $(if $(JSON),--json "$(JSON)") $(if $(filter-out 0 no,$(QUICK)),--quick)
COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

# with CI=true a skipped test is a failed run
NO_SKIPS := $(if $(filter true,$(CI)),-p tests.frame.no_skips)
# the coverage floor holds for the whole suite only
COVERAGE := $(if $(TESTS),,--cov)

help: ## list the targets
	@sed -n 's/^\([a-z-][a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'

run: ## start everything with the demo fleet; ARGS="--port 9000 --data-dir D" are options of `up`
	@$(BASE)
	@$(PY) manage.py up --demo $(ARGS)

test: ## run every test, in a real browser too; TESTS="tests/frame -k help" narrows
	@$(DEV)
	@CHROME="$$(sh requirements/chromium.sh)" && export CHROME && $(PY) -m pytest $(NO_SKIPS) $(COVERAGE) $(TESTS)

check: ## format, lint, types, imports, migrations, templates, browser code, docs, locks
	@$(DEV)
	@sh requirements/check.sh

fmt: ## write Python, templates and browser code in the one format
	@$(DEV)
	@$(PY) -m ruff check --quiet --fix-only .
	@$(PY) -m ruff format .
	@$(PY) -m djlint --quiet --reformat templates || true # 1: something was reformatted
	@sh requirements/node.sh run fmt || [ $$? -eq 3 ] # 3: skipped, and said so

screenshot: ## make docs/overview.png again
	@$(DEV)
	@CHROME="$$(CI=true sh requirements/chromium.sh)" && export CHROME && $(PY) -m tests.browser.screenshot

bench: ## run every benchmark; JSON=F writes the claims, QUICK=1 is a short form
	@$(DEV)
	@$(BENCH)

bench-health: ## benchmark probing: time to detect, cost of a probe
	@$(DEV)
	@$(BENCH) health

bench-live: ## benchmark the journal, the tailer and the live socket
	@$(DEV)
	@$(BENCH) live

lock: ## pin requirements/*.in with hashes, for Python 3.11 to 3.13 on Linux and macOS
	@$(DEV)
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) requirements/prod.in -o requirements/prod.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt

clean: ## remove what can be made again; var/, where `up` keeps its state, stays
	rm -rf .venv node_modules staticfiles htmlcov .coverage .coverage.* .pytest_cache .mypy_cache \
		.ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
