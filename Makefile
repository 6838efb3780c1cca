# The two commands: `make demo` and `make test`. Both create .venv, install the locked packages, build the core and go.
# Needs Debian's python3 (3.11+), python3-venv, python3-dev, g++ and make, and PyPI; no root. ARGS passes options on.
#
# A stamp per step makes the second run start in seconds: packages are installed again only when the lock
# changes, the core is built again only when its sources do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
export CMAKE_BUILD_PARALLEL_LEVEL ?= 2
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH

SOURCES := pyproject.toml CMakeLists.txt $(shell find native -name '*.h' -o -name '*.cpp')
CXX_FILES = $(shell find native -name '*.h' -o -name '*.cpp')
PY_DIRS = $(wildcard src tests bench strategies examples)

.PHONY: help demo test compare speeds sim bugbench feed-sim lint build-sanitize build-debug sanitize same-hash coverage fuzz fuzz-readers stress format images nth bench cst exchange-soak soak kill-drill watchdog-drill kills races evidence references-live lock clean
help:
	@echo 'make demo    exchange, node and market maker on this machine   ARGS="--headless --duration 10 --seed 7 --json"'
	@echo 'make test    every test                                        ARGS="tests/book -k touch"'
	@echo 'make compare the matching engine against its oracle        ARGS="--operations 1000000 --seed 7"'
	@echo 'make speeds  random strategies in both speeds, their journals compared    ARGS="--programs 10000 --seed 7"'
	@echo 'make sim     whole nodes under swarms of faults              ARGS="--seeds 2000 --seed 7 --evidence FILE"'
	@echo 'make bugbench  planted defects that simulation and tests must find    ARGS="--only sync-error-ignored"'
	@echo 'make feed-sim  books behind two bad lines against the exchange     ARGS="--seeds 10000 --seed 7"'
	@echo 'make lint    ruff, mypy --strict, clang-format, layering'
	@echo 'make bench   every file of bench/, a table, bench/results/     ARGS="journal book"'
	@echo 'make cst     zero-intelligence flow through the engine against exact values   ARGS="--trials 400000 --seed 7"'
	@echo 'make soak    a node for hours at 50 000 messages a second: does anything grow?   HOURS=2 ARGS="--seed 1 --evidence FILE"'
	@echo 'make exchange-soak  a day of the exchange at full size, with crashes  ARGS="--sessions 1000 --orders 10000000 --seed 1"'
	@echo 'make kill-drill  kills of a live node, and the wire around them  ARGS="--kills 1000 --seed 1 --stuck-ms 200"'
	@echo 'make watchdog-drill  SIGSTOP of a live node under its watchdog  ARGS="--stops 200 --seed 1 --way login"'
	@echo 'make kills  kill -9 of node, archiver, snapshots, exchange under load  ARGS="--kills 2000 --seed 1 --evidence FILE"'
	@echo 'make races  lost acks, cuts, busts, rejects by the exchange against a live node    ARGS="--sessions 500 --seed 1 --evidence FILE"'
	@echo 'make evidence  what has been shown of durability, what is missing, and some of it now   MINUTES=30 ARGS="--only kills"'
	@echo 'make references-live  every reference on a real exchange, then stopped   MINUTES=10 ARGS="--seed 7 --speed compiled"'
	@echo 'make sanitize  the core under AddressSanitizer and UBSan   ARGS="tests/engine"'
	@echo 'make same-hash  one session in release, debug and sanitizer builds   ARGS="--seed 7"'
	@echo 'make coverage  branches of risk, oms and kill that no test takes   ARGS="tests/risk"'
	@echo 'make images  power cuts of the journal, recovered   ARGS="--scenarios 200 --seed 7 --evidence build/images.jsonl"'
	@echo 'make nth     the n-th call on a file fails, for every n   ARGS="--every 1 --seed 7"'
	@echo 'make fuzz    codecs and venue under any bytes, with sanitizers        ARGS="--runs 1000000 --seed 7" TARGETS=soup'
	@echo 'make fuzz-readers  the same of snapshot, state, record and configuration   ARGS="--runs 100000"'
	@echo 'make stress  rings, journal and kill cell with threads on both sides, thread sanitizer   ARGS="--rounds 1000000 --seed 7 journal"'
	@echo 'make format  put all sources into shape, write docs/formats.md again'
	@echo 'make lock    resolve requirements.lock again'
	@echo 'make clean   remove what the others made, .venv included'

demo: $(VENV)/.built
	@$(BIN)/openbell demo $(ARGS)

# A file's tests stay in one process: they share tapes and caches.
WORKERS ?= 2
test: $(VENV)/.built
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

speeds: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m strategy.compiler.speeds $(ARGS)

compare: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m exchange.comparison $(ARGS)

sim: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.simulation $(ARGS)

bugbench: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.bugs $(ARGS)

feed-sim: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.feed.sim $(ARGS)

lint: $(VENV)/.built
	$(BIN)/ruff check $(PY_DIRS)
	$(BIN)/ruff format --check $(PY_DIRS)
	$(BIN)/mypy
	@echo 'clang-format --dry-run -Werror on native/'
	@$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)
	$(BIN)/python -m pytest tests/test_house.py

format: $(VENV)/.built
	$(BIN)/ruff check --fix $(PY_DIRS)
	$(BIN)/ruff format $(PY_DIRS)
	$(BIN)/clang-format -i $(CXX_FILES)
	$(BIN)/python tests/formats.py

# Builds of other kinds: each has its own copy of the package in build/KIND/site, and -S keeps the editable install out of sight.
SITE_PACKAGES = $$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages)
SANITIZER = LD_PRELOAD="$(shell g++ -print-file-name=libasan.so) $(shell g++ -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0
# A build with sanitizers takes half as long at -O1 as at -O2.
build-sanitize: FLAGS := -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" -DOPENBELL_SANITIZE=address,undefined
build-debug: FLAGS := -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -g1"
build-sanitize build-debug: $(VENV)/.packages
	@$(BIN)/cmake -G Ninja -S . -B build/$(@:build-%=%)/cmake $(FLAGS) -DOPENBELL_LTO=OFF \
		-DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python >/dev/null
	@$(BIN)/cmake --build build/$(@:build-%=%)/cmake
	@rm -rf build/$(@:build-%=%)/site && cp -r src build/$(@:build-%=%)/site
	@rm -f build/$(@:build-%=%)/site/openbell/_native.*.so
	@$(BIN)/cmake --install build/$(@:build-%=%)/cmake --prefix $(CURDIR)/build/$(@:build-%=%)/site >/dev/null

sanitize: build-sanitize
	@PYTHONPATH=$(CURDIR)/build/sanitize/site:$(SITE_PACKAGES) $(SANITIZER) $(BIN)/python -S -m pytest -p no:cacheprovider \
		$(or $(ARGS),tests/engine tests/simulation tests/oms tests/execution tests/risk tests/book tests/journal)

SAME_HASH := -m tests.node.same_hash build/same-hash
same-hash: $(VENV)/.built build-debug build-sanitize
	@rm -rf build/same-hash
	@PYTHONPATH=tests:. $(BIN)/python $(SAME_HASH) --build release $(ARGS)
	@PYTHONPATH=$(CURDIR)/build/debug/site:$(SITE_PACKAGES):tests:. $(BIN)/python -S $(SAME_HASH) --build debug $(ARGS)
	@PYTHONPATH=$(CURDIR)/build/sanitize/site:$(SITE_PACKAGES):tests:. $(SANITIZER) $(BIN)/python -S $(SAME_HASH) --build sanitizers $(ARGS)
	@PYTHONPATH=tests:. $(BIN)/python $(SAME_HASH)

# Counts the branches of what decides whether an order may leave while the tests of ARGS run, a table by file; native
# ones without those that only an exception takes, which end at the same handler. What only includes a header is
# counted as well, so that its inline functions are.
COVERED := build/coverage
COVERED_NATIVE := risk/* oms/* venue/gate.* journal/kill_cell.* node/warden.* engine/arming.* engine/breaking.* sender/* \
	engine/lifecycle.* engine/stops.* execution/stops.* node/driver.* node/order_session.*
COVERED_PYTHON := node/limits.py node/limit_lines.py node/looser.py node/acknowledge.py node/record.py node/breakers.py \
	node/fees.py ops/control/* ops/kill_follow.py ops/watchdog/* cli/kill.py cli/arm.py cli/adjust.py cli/watchdog.py
COVERING := engine/* execution/* node/live.cpp bindings/accounts.cpp bindings/breakers.cpp bindings/oms.cpp bindings/risk.cpp \
	bindings/risk_bench.cpp bindings/session.cpp bindings/venue.cpp bindings/journal_shared.cpp bindings/backtest.cpp \
	backtest/*
comma := ,
space := $(subst ,, )
coverage: $(VENV)/.packages
	@$(BIN)/cmake -G Ninja -S . -B $(COVERED)/cmake -DOPENBELL_LTO=OFF -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python \
		-DOPENBELL_COVERAGE="$(subst $(space),$(comma),$(COVERED_NATIVE:.*=.cpp) $(COVERING))" >/dev/null
	@$(BIN)/cmake --build $(COVERED)/cmake
	@find $(COVERED)/cmake -name '*.gcda' -delete
	@rm -rf $(COVERED)/site $(COVERED)/python* && cp -r src $(COVERED)/site
	@rm -f $(COVERED)/site/openbell/_native.*.so $(COVERED)/site/openbell/openbell-kill
	@$(BIN)/cmake --install $(COVERED)/cmake --prefix $(CURDIR)/$(COVERED)/site >/dev/null
	@export PYTHONPATH=$(CURDIR)/$(COVERED)/site:$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages) \
		COVERAGE_FILE=$(CURDIR)/$(COVERED)/python; \
		$(BIN)/python -S -m coverage run -m pytest -p no:cacheprovider \
		$(or $(ARGS),tests/risk tests/oms tests/engine tests/venue tests/ops/control tests/ops/watchdog tests/ops/test_kill_follow.py tests/node \
		tests/journal/test_shared.py tests/backtest/test_virtual_venue.py tests/backtest/test_run.py tests/execution \
		tests/cli/test_arm.py tests/cli/test_adjust.py tests/cli/test_control.py tests/cli/test_kill.py tests/cli/test_kill_sender.py tests/cli/test_lifecycle.py \
		tests/cli/test_replace.py tests/cli/test_watchdog.py tests/strategy/test_replaced.py tests/simulation); \
		status=$$?; $(BIN)/python -S -m coverage combine -q; \
		$(BIN)/python -S -m coverage report --include='$(subst $(space),$(comma),$(COVERED_PYTHON:%=*/openbell/%))'; \
		$(BIN)/gcovr --root . --object-directory $(COVERED)/cmake $(COVERED_NATIVE:%=--filter 'native/%') \
			--exclude-throw-branches --exclude-unreachable-branches --merge-mode-functions=merge-use-line-min --txt-metric branch; \
		exit $$status

# Neither needs Python or the packages. TARGETS, from the command line, reaches it by itself.
fuzz:
	@$(MAKE) --no-print-directory -f native/fuzz/Makefile ARGS="$(ARGS)"

stress:
	@$(MAKE) --no-print-directory -f native/stress/Makefile ARGS="$(ARGS)"

bench: $(VENV)/.built
	@$(BIN)/python -m bench $(ARGS)

cst: $(VENV)/.built
	@$(BIN)/python -m bench.cst $(ARGS)

kill-drill: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m bench.kill_drill $(ARGS)

watchdog-drill: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m bench.watchdog_drill $(ARGS)

kills: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.chaos.kills $(ARGS)

races: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.chaos.races $(ARGS)

evidence: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.evidence --minutes $(or $(MINUTES),0) $(ARGS)

references-live: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m tests.strategies.live --minutes $(or $(MINUTES),1) $(ARGS)

images nth: $(VENV)/.built
	@PYTHONPATH=tests:. $(BIN)/python -m journal.crash.$@ $(ARGS)

fuzz-readers: build-sanitize
	@PYTHONPATH=$(CURDIR)/build/sanitize/site:$(SITE_PACKAGES):tests:. $(SANITIZER) $(BIN)/python -S -m journal.crash.readers $(ARGS)

exchange-soak: $(VENV)/.built
	@$(BIN)/python -m bench.exchange_soak $(ARGS)

HOURS ?= 2
soak: $(VENV)/.built
	@$(BIN)/python -m bench.soak --hours $(HOURS) $(ARGS)

lock:
	uv pip compile pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes --no-header --upgrade --output-file requirements.lock
	uv pip compile $(PEERS).in --no-deps --python-version 3.11 --universal --generate-hashes --no-header --upgrade --output-file $(PEERS).lock

clean:
	rm -rf $(VENV) build run .pytest_cache .mypy_cache .ruff_cache .hypothesis src/openbell/_native.*
	find src tests bench strategies -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'openbell needs Python 3.11 or newer; say which with: make PYTHON=python3.12'; exit 1; }
	@command -v g++ >/dev/null || \
		{ echo 'openbell needs a C++20 compiler: apt-get install python3-venv python3-dev g++ make'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'openbell needs venv: apt-get install python3-venv python3-dev g++ make'; exit 1; }
	@$(PYTHON) -c 'import pathlib, sysconfig, sys; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || \
		{ echo 'openbell needs the headers of Python: apt-get install python3-dev'; exit 1; }
	@echo 'creating $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

PEERS := tests/conformance/requirements
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --only-binary :all:
$(VENV)/.packages: requirements.lock $(PEERS).lock $(VENV)/.created
	@echo 'installing the locked packages'
	@$(INSTALL) -r requirements.lock
	@$(INSTALL) --no-deps -r $(PEERS).lock
	@touch $@

$(VENV)/.built: $(SOURCES) $(VENV)/.packages
	@echo 'building the native core (the first time takes a few minutes on two cores)'
	@$(BIN)/python -m pip install --disable-pip-version-check --no-build-isolation --no-deps -v -e . 2>&1 \
		| awk '/^ *\[[0-9]+\/[0-9]+\]|error|Error|warning:|ERROR|Successfully/ { print; fflush() } { log_[NR] = $$0 } \
		       /Successfully installed/ { ok = 1 } END { if (!ok) { for (i = 1; i <= NR; i++) print log_[i]; exit 1 } }'
	@touch $@
