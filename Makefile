# Photo Wake-Up. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Names of files and folders are taken as they stand, `$`, quotes and all: make does not expand
# them, and recipes read them from the environment, so that no shell reads them as commands. First
# of all, because newer makes expand exported variables for every $(shell).
override PHOTO := $(value PHOTO)
override PHOTOS := $(value PHOTOS)
override OUT := $(value OUT)
# Words for a shell, which closes its quotes or says so.
override ARGS := $(value ARGS)
export PHOTO PHOTOS OUT ARGS
CLOSED_QUOTES = bash -n -c "x $$ARGS" 2>/dev/null || { echo "ARGS cannot be read: close its quotes, make ... ARGS=\"--motion 'my clip.bvh'\"." >&2; exit 2; }

BUILD := build
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
PIP_OPTIONS := --quiet --disable-pip-version-check
PACKAGES := $(BUILD)/packages
MODELS := $(BUILD)/models
DEMO_PHOTO := $(BUILD)/demo_photo/photo.png
RUN := PYTHONPATH=$(PACKAGES) $(PYTHON)

SET_UP := $(BUILD)/.set-up
BODY := $(MODELS)/body.npz
NETWORKS := $(MODELS)/.networks
WARM := $(BUILD)/.warm
REFERENCE := $(BUILD)/reference/.set-up
PACKAGE := $(BUILD)/package
CLEAN_BLENDER := $(BUILD)/package_test/.set-up
PYTHON_5_2 ?= python3.13
NEXT_BLENDER := $(BUILD)/blender_5_2/.set-up
VALIDATOR := $(BUILD)/npm/node_modules/gltf-validator/package.json
VIEWER := $(BUILD)/web/model-viewer.min.js
VIEWER_VERSION := 4.4.0
VIEWER_SHA256 := 18b2e711035aa4705ee281530a55dc2338ff05eed3d70ae16d54105282a75ed5
# Tests that need npm's programs are skipped where there is no npm.
HAS_NPM := $(shell command -v npm)
NODE_TOOLS := $(if $(HAS_NPM),$(VALIDATOR))

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(SET_UP) models $(WARM) $(if $(HAS_NPM),$(VIEWER)) ## Make the virtual environment and the model files (needs a network once)

$(SET_UP): requirements.txt requirements-dev.txt assets/check_system.sh
	@bash assets/check_system.sh
	python3.11 -m venv $(VENV)
	$(VENV)/bin/pip install $(PIP_OPTIONS) -r requirements.txt -r requirements-dev.txt
	@bash assets/check_system.sh $(PYTHON)
	mkdir -p $(PACKAGES)
	ln -sfn ../.. $(PACKAGES)/photo_wake_up
	touch $@

.PHONY: models
models: $(BODY) $(NETWORKS) ## Build the default body and take the networks out of their wheel

$(BODY): $(SET_UP) assets/build_body.py
	$(RUN) -W ignore assets/build_body.py $@

$(NETWORKS): $(SET_UP) assets/build_networks.py
	$(RUN) assets/build_networks.py $(MODELS) --downloads $(BUILD)/downloads
	touch $@

# PyMatting compiles its loops once for a machine; doing it here keeps the first photo fast.
$(WARM): $(SET_UP)
	$(PYTHON) -c "import numpy, pymatting as m; a = numpy.full((9, 9), .5); a[0], a[8] = 0, 1; i = numpy.random.default_rng(0).random((9, 9, 3)); m.cf_laplacian(i, is_known=a != .5); m.estimate_foreground_ml(i.astype('f4'), a.astype('f4'))"
	touch $@

$(DEMO_PHOTO): $(SET_UP) $(BODY) $(wildcard assets/demo/*.py)
	$(RUN) -m photo_wake_up.assets.demo.build_demo_photo --out $(dir $@)

.PHONY: demo
demo: setup $(DEMO_PHOTO) ## Wake up the demo photo: everything goes to build/demo/
	$(RUN) -m photo_wake_up.addon.cli $(DEMO_PHOTO) --out $(BUILD)/demo

.PHONY: pictures
pictures: setup $(DEMO_PHOTO) ## Make the README's pictures of the demo photo anew
	$(RUN) -m photo_wake_up.addon.cli $(DEMO_PHOTO) --out $(BUILD)/pictures --wall --camera pull-back --render none
	$(RUN) -W ignore -m photo_wake_up.assets.pictures.build_pictures $(BUILD)/pictures --window $(BUILD)/gui/out/5_dancing.png --out docs/pictures

.PHONY: wake-up
wake-up: setup ## Wake up a photo: make wake-up PHOTO=me.jpg OUT=result ARGS="--motion run"
	@[[ -n "$$PHOTO" && -n "$$OUT" ]] || { echo "Say which photo and where to: make wake-up PHOTO=me.jpg OUT=result" >&2; exit 2; }
	@$(CLOSED_QUOTES)
	@$(RUN) -m photo_wake_up.addon.cli --out="$$OUT" $(ARGS) -- "$$PHOTO"

.PHONY: batch
batch: setup ## Wake up a folder of photos: make batch PHOTOS=album OUT=results ARGS="--jobs 2"
	@[[ -n "$$PHOTOS" && -n "$$OUT" ]] || { echo "Say which folder and where to: make batch PHOTOS=album OUT=results" >&2; exit 2; }
	@[[ -d "$$PHOTOS" ]] || { printf '%s is no folder: say which folder the photos are in.\n' "$$PHOTOS" >&2; exit 2; }
	@$(CLOSED_QUOTES)
	@$(RUN) -m photo_wake_up.addon.cli --out="$$OUT" $(ARGS) -- "$$PHOTOS"

# MediaPipe needs other versions than the extension, and Pixar's validators another USD than
# Blender's, hence an environment of their own. Without dependencies, because MediaPipe asks for JAX
# and more that nothing here imports.
$(REFERENCE): tests/reference/requirements.txt
	python3.11 -m venv --clear $(BUILD)/reference/venv
	$(BUILD)/reference/venv/bin/pip install $(PIP_OPTIONS) --no-deps -r $<
	$(BUILD)/reference/venv/bin/python -c "import mediapipe"
	touch $@

.PHONY: reference
reference: $(REFERENCE) ## Make the environment of MediaPipe and Pixar's validators, which the tests compare with

.PHONY: test
test: setup lint $(DEMO_PHOTO) $(REFERENCE) $(NODE_TOOLS) ## Run all checks and tests
	$(PYTHON) -m pytest --refuse-needless-skips

# Not part of `make test`: it takes well over half as long again.
.PHONY: coverage
coverage: setup $(DEMO_PHOTO) $(REFERENCE) ## Tell which lines of addon/core its tests never reach: build/coverage/
	$(PYTHON) -m pytest tests/core --cov=photo_wake_up.addon.core --cov-branch \
	  --cov-report=term:skip-covered --cov-report=html:$(BUILD)/coverage

.PHONY: test-core
test-core: setup $(REFERENCE) ## Run the tests that need no Blender
	$(PYTHON) -m pytest tests/core

.PHONY: test-blender
test-blender: setup $(REFERENCE) $(NODE_TOOLS) ## Run the tests of scenes and operators
	$(PYTHON) -m pytest tests/scene tests/operators

# Seconds for each reader; TARGETS names some of them alone.
SECONDS := 60
TARGETS :=

.PHONY: fuzz
fuzz: setup ## Look for files that break their readers: make fuzz SECONDS=600 TARGETS="bvh exif"
	$(RUN) -W ignore -m photo_wake_up.tests.fuzz $(TARGETS) --seconds "$(SECONDS)" --out $(BUILD)/fuzz

.PHONY: package
package: setup ## Build the extension's zip for this platform: build/package/
	$(RUN) -m photo_wake_up.assets.package.build_package --out $(PACKAGE)

# A Blender as users have it: its wheel and what that asks for, not even pip.
$(CLEAN_BLENDER): tests/package/requirements.txt
	python3.11 -m venv --clear --without-pip $(BUILD)/package_test/venv
	$(VENV)/bin/pip --python $(BUILD)/package_test/venv/bin/python install $(PIP_OPTIONS) -r $<
	touch $@

.PHONY: test-package
test-package: package $(DEMO_PHOTO) $(CLEAN_BLENDER) ## Install the zip in a Blender of its own, wake up the demo photo, uninstall
	rm -rf $(BUILD)/package_test/user && mkdir -p $(BUILD)/package_test/user
	here="$$PWD"; cd $(BUILD)/package_test && env -i PATH=/usr/bin:/bin HOME="$$PWD/user" \
	  BLENDER_USER_RESOURCES="$$PWD/user" venv/bin/python -I "$$here/tests/package/run_installed.py" \
	  "$$(ls -t "$$here"/$(PACKAGE)/*.zip | head -n 1)" "$$here/$(DEMO_PHOTO)"

# Without a CPU build of PyTorch for Python 3.13 among pip's indexes this brings gigabytes of CUDA.
# Triton, which comes with it and is for GPUs, crashes where it is loaded beside Blender.
$(NEXT_BLENDER): tests/blender_5_2/requirements.txt requirements.txt
	@$(PYTHON_5_2) -c "import sys, venv; sys.exit(sys.version_info[:2] != (3, 13))" 2>/dev/null || \
	  { echo "Python 3.13 is missing: name it, make test-5.2 PYTHON_5_2=/path/to/python3.13." >&2; exit 2; }
	$(PYTHON_5_2) -m venv --clear $(BUILD)/blender_5_2/venv
	grep -v '^numpy==' requirements.txt > $(BUILD)/blender_5_2/requirements.txt
	$(BUILD)/blender_5_2/venv/bin/pip install $(PIP_OPTIONS) -r $(BUILD)/blender_5_2/requirements.txt -r $<
	$(BUILD)/blender_5_2/venv/bin/pip uninstall --quiet --yes triton 2>/dev/null
	touch $@

.PHONY: test-5.2
test-5.2: setup $(DEMO_PHOTO) $(NEXT_BLENDER) $(REFERENCE) $(NODE_TOOLS) ## Run the tests of scenes and operators with Blender 5.2 (needs Python 3.13)
	@echo "Skipped: tests/core and lint, which need no Blender (make test), and what is named at the end."
	$(BUILD)/blender_5_2/venv/bin/python -m pytest -rs tests/scene tests/operators

.PHONY: test-processors
test-processors: setup $(DEMO_PHOTO) ## Compare results as other processors would compute them (half an hour): build/bench/processors.json
	$(RUN) -m photo_wake_up.tests.benches.processors --out $(BUILD)/bench

.PHONY: docs
docs: setup ## Make a browsable page of every module and function of addon/core: build/docs/
	$(RUN) -m pdoc --docformat numpy --output-directory $(BUILD)/docs photo_wake_up.addon.core

.PHONY: lint
lint: setup ## Check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

.PHONY: format
format: setup ## Put the code into its usual shape
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

$(VALIDATOR):
	mkdir -p $(BUILD)/npm
	npm install --silent --prefix $(BUILD)/npm gltf-validator@2.0.0-dev.3.10
	touch $@

# The web component that exported pages carry within them; its licences stand in the file itself.
$(VIEWER):
	mkdir -p $(BUILD)/npm $(@D)
	cd $(BUILD)/npm && npm pack --silent @google/model-viewer@$(VIEWER_VERSION)
	tar -xzf $(BUILD)/npm/google-model-viewer-$(VIEWER_VERSION).tgz -C $(BUILD)/npm package/dist/model-viewer.min.js
	echo "$(VIEWER_SHA256)  $(BUILD)/npm/package/dist/model-viewer.min.js" | sha256sum --check --quiet
	mv $(BUILD)/npm/package/dist/model-viewer.min.js $@
	touch $@

.PHONY: bench
bench: setup $(DEMO_PHOTO) $(VALIDATOR) $(REFERENCE) ## Wake up every test photo and measure the bars: build/bench/
	$(RUN) -m photo_wake_up.tests.benches.photos --out $(BUILD)/bench

.PHONY: mask-scenes
mask-scenes: setup ## Render the scenes that masks are measured against (once, some minutes)
	$(RUN) -m photo_wake_up.assets.mask_scenes.build_mask_scenes --out $(BUILD)/mask_scenes

.PHONY: bench-people
bench-people: setup reference $(DEMO_PHOTO) mask-scenes ## Measure detection, masks and mattes: build/bench/people.json
	$(RUN) -W ignore -m photo_wake_up.tests.benches.people --out $(BUILD)/bench

.PHONY: fit-cases
fit-cases: setup ## Render the known bodies that the fit is measured against (once, half an hour)
	for seed in 1 2; do $(RUN) -m photo_wake_up.assets.fit_cases.render_fit_cases --seed $$seed --out $(BUILD)/fit_cases; done

.PHONY: bench-fit
bench-fit: setup fit-cases ## Measure the body fit against known bodies: build/bench/fit.json
	$(RUN) -W ignore -m photo_wake_up.tests.benches.fit --out $(BUILD)/bench

.PHONY: bench-character
bench-character: setup $(DEMO_PHOTO) mask-scenes fit-cases ## Measure the character: build/bench/character.json
	$(RUN) -W ignore -m photo_wake_up.tests.benches.character --out $(BUILD)/bench

.PHONY: bench-motion
bench-motion: setup $(DEMO_PHOTO) ## Measure retargeting, feet and loops, draw strips: build/bench/motion.json
	$(RUN) -W ignore -m photo_wake_up.tests.benches.motion --out $(BUILD)/bench

.PHONY: bench-batch
bench-batch: setup $(DEMO_PHOTO) ## Wake up an album of 100 photos, measure memory (an hour): build/bench/batch.json
	$(RUN) -m photo_wake_up.tests.benches.batch --out $(BUILD)/bench

.PHONY: test-gui
test-gui: setup $(DEMO_PHOTO) ## Drive the panel in a real Blender with a window (root, once 3.5 GB): build/gui/
	bash tests/gui/run.sh . $(BUILD)/gui/out

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(BUILD)
