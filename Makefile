# `make help` lists the commands. Settings are given as variables: make up PHAROS_PORT=8001
.DEFAULT_GOAL := help
.PHONY: help up down logs status scale update lock docs check format test test-browser test-stack test-plans test-containers faults faults-quick bench bench-quick table sbom extension client site venv venv-test venv-docs

PHAROS := $(if $(MODE),PHAROS_MODE=$(MODE)) .venv/bin/python -m workers.supervisor
# With bytecode, wherever the environment says: the tests start Python hundreds of times.
PYTEST := PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate $(if $(UPGRADE),--upgrade)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: venv ## start Pharos, or say where it is; MODE=embedded or MODE=compose decides how
	@$(PHAROS) up

down: venv ## stop Pharos; the library stays
	@$(PHAROS) down

status: venv ## show what is running
	@$(PHAROS) status

logs: venv ## follow the log
	@$(PHAROS) logs

scale: venv ## change the number of workers: make scale WORKERS=8
	@$(PHAROS) scale $(or $(WORKERS),$(error say how many: make scale WORKERS=8))

update: venv ## run the code that is here now: containers one after another, no task is lost
	@$(PHAROS) update

table: venv ## print THE TABLE: which event starts which task
	@.venv/bin/python -m service.flow

format: venv-test ## format the code and repair what can be repaired
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

check: venv-test ## check format, lint, types and import rules
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/basedpyright
	@$(PYTEST) tests/test_imports.py $(wildcard tests/test_table.py) tests/ops/test_configuration.py

test: venv-test ## run the tests, with servers of their own and without a network
	@$(PYTEST) -n auto --dist worksteal -m "not e2e and not faults and not performance and not containers"

test-browser: venv-test ## run the page in Chromium, on a real stack
	@$(PYTEST) tests/e2e -m "not performance"

test-stack: venv-test ## run the whole stack: `make up` to search, with processes killed and Redis away in between
	@$(PYTEST) -m e2e --ignore tests/e2e

test-plans: venv-test ## have PostgreSQL explain what every list asks for, where there are a hundred thousand resources
	@$(PYTEST) -m performance tests/database

test-containers: venv-test ## build compose.yaml and run it on a container engine; skipped where none can start
	@$(PYTEST) -m containers

faults: venv-test ## kill and freeze real processes, beside stock Dramatiq; FAULT=name runs one
	@.venv/bin/python -m tests.faults $(if $(FAULT),$(FAULT),--page)

faults-quick: venv-test ## kill and freeze real processes, short forms
	@$(PYTEST) -m faults

bench: venv ## measure, beside peers; BENCH=name runs one
	@.venv/bin/python -m bench $(BENCH)

bench-quick: venv ## measure a few things in a minute; fails only where work was not done
	@.venv/bin/python -m bench --quick

docs: venv ## write .env.example, docs/configuration.md, docs/events.md and docs/licences.md anew
	@.venv/bin/python -m service.configuration
	@.venv/bin/python -m service.catalogue
	@.venv/bin/python .ci/licences

sbom: venv-test ## list what Pharos is installed with, as CycloneDX: dist/pharos.cdx.json
	@mkdir -p dist
	@.venv/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
		--output-file dist/pharos.cdx.json
	@echo dist/pharos.cdx.json

site: venv-docs ## build docs/ as a site, to be read from the folder or from any web server: dist/site
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --clean --config-file deploy/site/mkdocs.yml

extension: ## pack the browser extension: dist/pharos-extension.zip
	@python3 .ci/extension

client: venv-test ## build the Python client as a wheel: dist/pharos_client-VERSION-py3-none-any.whl
	@cd deploy/client && ../../.venv/bin/python -m hatchling build -t wheel -d ../../dist

lock: ## renew the lock files from pyproject.toml; UPGRADE=1 takes the newest version of everything
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && python3 -m venv "$$folder" && \
	"$$folder/bin/pip" install -qq uv && PATH="$$folder/bin:$$PATH" && \
	$(COMPILE) pyproject.toml -o requirements.lock && \
	$(COMPILE) --group test -c requirements.lock -o tests/requirements.lock && \
	$(COMPILE) --group docs -c requirements.lock -c tests/requirements.lock -o docs/requirements.lock && \
	$(COMPILE) --group bench -c requirements.lock -o bench/requirements.lock

venv:
	@.ci/venv .venv requirements.lock

venv-test: venv
	@.ci/venv .venv tests/requirements.lock

venv-docs: venv
	@.ci/venv .venv docs/requirements.lock
