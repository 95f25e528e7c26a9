# Commands for developing and showing the plugin. `make help` lists them.
# A bare Debian or Ubuntu machine with git and make is enough: `make setup` fetches the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

PY := .venv/bin/python
LINT := .venv-lint/bin
SEALED := .ci/sealed
ZIP := build/up42_plugin.zip

# Extra arguments, as in: make test PYTEST="tests/unit -k aoi"
PYTEST ?=
# One of the measurements, as in: make bench KEY=typing_gap_ms
KEY ?=
# Another area for the demo, as in: make demo AOI=field.geojson
AOI ?=
# Rasters to stand behind the blocks' outputs, as in: make sheet RASTERS="scene.tif other.tif"
RASTERS ?=

.PHONY: help setup demo desktop sheet pictures test soak bench lint package matrix clean

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: ## Install QGIS when it is missing, and the virtual environment for the tests
	@.ci/setup

demo: setup ## Run the main job without account or display; leaves build/demo/
	@QT_QPA_PLATFORM=offscreen $(SEALED) $(PY) -u tests/showcase/demo.py $(if $(AOI),'$(AOI)')

desktop: setup package ## Show QGIS Desktop with the plugin; without a display leaves build/desktop.png
	@$(PY) -u tests/showcase/desktop.py

sheet: setup ## Draw every block's output side by side: build/contact_sheet.png (RASTERS="..." for others behind)
	@QT_QPA_PLATFORM=offscreen $(SEALED) $(PY) -u tests/showcase/contact_sheet.py $(RASTERS)

pictures: demo desktop sheet ## Make pictures of every state, light and dark (build/pictures/), and the README's
	@$(PY) -u tests/showcase/pictures.py
	@QT_QPA_PLATFORM=offscreen $(SEALED) $(PY) tests/showcase/readme_pictures.py

test: setup ## Run every test (PYTEST="..." for some of them)
	@.ci/make-venv .venv-vendor .ci/requirements-vendor.txt || echo 'The test with the vendor client will be skipped.'
	@rm -rf .qgis-settings
	@QT_QPA_PLATFORM=offscreen $(SEALED) $(PY) -m pytest $(PYTEST)

soak: setup ## Run the fault tests with their full numbers
	@rm -rf .qgis-settings
	@UP42_SOAK=1 QT_QPA_PLATFORM=offscreen $(SEALED) $(PY) -m pytest -m soak $(PYTEST)

bench: ## Measure how quick it is: one JSON object on standard output (KEY=... for one of them)
	@.ci/setup >&2
	@.ci/bench-tools $(KEY) >&2
	@QT_QPA_PLATFORM=offscreen $(SEALED) $(PY) -u tests/bench/run.py $(KEY)

lint: setup package ## Check style, types, versions, Qt 6, import directions and the plugin site's rules
	@.ci/make-venv .venv-lint .ci/requirements-lint.txt
	@.ci/lint $(ZIP)

package: ## Build build/up42_plugin.zip, ready for QGIS's "Install from ZIP"
	@/usr/bin/env python3 .ci/package.py build

matrix: ## Run the tests under newer QGIS versions, in folders under build/matrix (root only)
	@.ci/matrix

clean: ## Remove what was built, but not the virtual environments
	@.ci/matrix --unmount
	@rm -rf build .qgis-settings .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find up42_plugin tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
