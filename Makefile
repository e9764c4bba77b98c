# make run    sets everything up and starts the bot: web chat on http://127.0.0.1:8080, Telegram and Discord with tokens
# make install    only sets everything up, for a service that starts the bot itself
# make test   sets up what tests need and runs them       make lint   linters, secret scan, audit
# make audit  as in make lint, but fails where the database of known faults cannot be reached
# make bench  prints the benchmark tables                 make lock   pins packages anew
# make check-lock  installs what make lock wrote into an empty environment
# make soak   the program under load, a flood, nonsense and kills, for some hours; `make soak SHARE=0.05` for a twentieth
# make bench-feedback  simulates communities that correct the bot, and what retraining makes of it
# make translations  brings the catalogues under bots/conversation/locale in step with the sentences in bots/conversation/texts.py
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Extras with a format of pictures each, left out where a machine has no ready-made package for it: HEIC, JPEG XL.
FORMATS := heic jxl
# The extras that the images of the Dockerfile contain, and how the files that pin their packages are written.
SERVED := heic jxl postgresql retraining
TRAINED := postgresql training
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes pyproject.toml
SHARE := 1
# The package `fer`, which `make bench` sets beside the shipped model.
FER_VENV := .venv-fer

.PHONY: run install test lint audit bench soak bench-feedback lock check-lock translations clean

run: $(VENV)/.serve
	@$(BIN)/python -m bots

install: $(VENV)/.serve

test: $(VENV)/.develop
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/oxlint bots
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/python -m tests.secret_scan
	$(BIN)/python -m tests.audit

audit: $(VENV)/.develop
	$(BIN)/python -m tests.audit --strict

bench: $(VENV)/.develop
	@$(MAKE) -s $(FER_VENV)/.made || echo "The package fer could not be installed; its part of the contest is left out."
	$(BIN)/python -m tests.bench

soak: $(VENV)/.develop
	$(BIN)/python -m tests.soak --share $(SHARE)

bench-feedback: $(VENV)/.develop
	$(BIN)/python -m tests.bench.feedback --full

lock: $(VENV)/.develop
	$(LOCK) --all-extras -o requirements.txt
	$(LOCK) -c requirements.txt $(SERVED:%=--extra %) -o deploy/requirements-serving.txt
	$(LOCK) -c requirements.txt $(TRAINED:%=--extra %) -o deploy/requirements-training.txt

check-lock:
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	rm -rf .venv-lock

translations: $(VENV)/.develop
	$(BIN)/pybabel -q extract -k _ -k _n:1,2 --no-location --header-comment "# The sentences of bots/conversation/texts.py; written by make translations." -o bots/conversation/locale/mugmoji.pot bots
	$(BIN)/pybabel -q update -N --ignore-obsolete --ignore-pot-creation-date -i bots/conversation/locale/mugmoji.pot -d bots/conversation/locale -D mugmoji

$(VENV)/.serve: pyproject.toml | $(BIN)/python
	@echo "Installing what the bot needs into $(VENV), once; later starts take seconds."
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[retraining]'
	@for extra in $(FORMATS); do \
		$(BIN)/python -m pip install --disable-pip-version-check --only-binary pillow-heif,imagecodecs -e ".[$$extra]" || \
		echo "There is no ready-made package for the extra $$extra on this machine; such pictures will be refused."; \
	done
	@touch $@

$(VENV)/.develop: $(VENV)/.serve
	@echo "Installing what tests, linters and training need, TensorFlow among it, once."
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[postgresql,retraining,training,test,lint]'
	@touch $@

$(FER_VENV)/.made: tests/bench/fer.txt | $(BIN)/python
	rm -rf $(FER_VENV)
	$(BIN)/python -m venv $(FER_VENV)
	$(FER_VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps -r $<
	@touch $@

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) $(FER_VENV) *.egg-info
