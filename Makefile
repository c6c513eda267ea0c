# One verb per task; continuous integration runs the same ones.

PYTHON ?= $(shell for each in python3.13 python3 python; do \
	$$each -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1 && echo $$each && break; done)
NODE_MAJOR := $(shell node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
RUN := .venv/bin/python -m
CODE := function_app.py handlers shared plan local bench tests

.PHONY: demo soak crashes bench plan pictures test quick check format azurite start install python lock audit clean

demo: install ## watch one image version spread over eight regions; KEEP=1 leaves everything running
	@$(RUN) local.demo $(if $(KEEP),--keep)

soak: install ## 200 versions in five minutes at most while everything goes wrong at random; SEED=N plays that one again
	@$(RUN) local.soak $(if $(SEED),--seed $(SEED))

crashes: install ## killed at every call to the outside, and twice in each of a hundred lives: half an hour
	CRASHES=all $(RUN) pytest tests/flows/test_crashes.py --timeout 0 -q
	CRASHES=random $(RUN) pytest tests/flows/test_crashes.py --timeout 0 -q

bench: install ## how close to the limit it is, against floors of the same run: minutes; ARGS="--quick", or rows by name
	@$(RUN) bench $(ARGS)

plan: python ## what a pass would do now: GALLERY=<resource id> and az login; without GALLERY, in a simulated Azure
ifdef GALLERY
	@$(RUN) plan --gallery "$(GALLERY)" $(ARGS)
else
	@$(RUN) plan --simulate $(ARGS) || test $$? -eq 2
endif

test: install tests/browser/node_modules/.installed check ## everything: linters, types, import contracts, all tests, coverage of the core
	$(RUN) pytest tests/core --cov --cov-report=term-missing -q -n 2
	$(RUN) pytest tests -n 4 --dist worksteal -q --ignore=tests/core -p tests.infra.whole_suite

quick: python ## the checks that take seconds
	$(RUN) ruff check $(CODE)
	$(RUN) pytest tests/core tests/settings tests/formats -q -n 2

check: python ## linters, types and import contracts
	$(RUN) ruff check $(CODE)
	$(RUN) ruff format --check $(CODE)
	$(RUN) mypy
	.venv/bin/lint-imports --no-logo

format: python ## write the code as the formatter wants it
	$(RUN) ruff format $(CODE)
	$(RUN) ruff check --fix $(CODE)

pictures: install tests/browser/node_modules/.installed ## draw the pictures of the documents anew
	$(RUN) pytest tests/browser/test_page.py -q -k glance && cp artefacts/status.png docs/pictures/
	$(RUN) pytest tests/browser/test_cards.py -q -k rollout_is_a_table && cp artefacts/teams-card.png docs/pictures/
	$(RUN) tests.plan.picture docs/pictures/plan.svg

azurite: install ## storage for make start, on the ports that UseDevelopmentStorage=true means
	@exec $(RUN) local.azurite --queue-port 10001 --table-port 10002

start: python ## the app alone, with the settings of local.settings.json
	@test -f local.settings.json || { echo "There is no local.settings.json: copy local.settings.sample.json and change it."; exit 1; }
	@if command -v func >/dev/null; then . .venv/bin/activate && exec func start; \
	else exec $(RUN) local.host --settings local.settings.json --port 7071; fi

install: python local/azurite/node_modules/.installed ## everything that demo and test need

python: .venv/.installed

.venv/.installed: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.13 is needed, with venv: install python3.13 (and python3.13-venv where that is a package of its own)."; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

%/node_modules/.installed: %/package-lock.json
	@test "$(NODE_MAJOR)" -ge 20 2>/dev/null || { echo "Node.js 20 or newer is needed, with npm: install nodejs and npm."; exit 1; }
	@command -v npm >/dev/null || { echo "npm is needed beside Node.js: install npm."; exit 1; }
	cd $* && npm ci --ignore-scripts --loglevel=error
	@touch $@

LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: python ## pin what the .in files ask for, and all that those need, with the hashes of their files
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -c requirements.txt -o requirements-dev.txt

audit: python ## known vulnerabilities of everything pinned; says so where no index of advisories can be reached
	$(RUN) pip_audit --require-hashes --disable-pip -r requirements-dev.txt

clean: ## forget everything that install made
	rm -rf .venv local/azurite/node_modules tests/browser/node_modules artefacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
