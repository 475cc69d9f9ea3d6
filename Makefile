# `make help` lists what a person types. Each recipe is short; what is longer is a script below tests/tools.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
TREE := .build/ansible_collections/outward/kubelet
# What the tools are started in: our own environment first, nothing of the user's Ansible.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build
export ANSIBLE_HOME := $(CURDIR)/.build/ansible
# The lab and the tools import the collection as any program would.
export PYTHONPATH := $(CURDIR):$(CURDIR)/.build

include lab.mk

##@ Everything
.PHONY: test demo
test: build-tree ## All set-up, lint, types, unit tests, and on the lab's VMs Molecule and a dozen verdicts
	@$(PY) -m tests.tools.everything lint sanity unit molecule matrix-quick

demo: build-tree lab-up ## Break a real node twice, see it diagnosed, refused and recovered
	@flock /tmp/lab-pi-04.lock tests/demo/demo.sh

##@ Set-up
.PHONY: venv build-tree lock
venv: $(VENV)/stamp ## The pinned tools in .venv

$(VENV)/stamp: requirements/dev.txt
	@tests/tools/venv.sh "$(PYTHON)" "$(VENV)" requirements/dev.txt
	@touch $@

build-tree: venv ## Link this checkout where Ansible looks for collections (.build)
	@mkdir -p $(dir $(TREE)) && ln -sfn ../../.. $(TREE)

lock: ## Renew requirements/dev.txt from requirements/dev.in
	@tests/tools/lock.sh "$(PYTHON)"

##@ Checks
.PHONY: lint ruff types yaml ansible-lint sanity unit molecule
lint: ruff types yaml ansible-lint ## ruff, mypy, Python 3.9 for node code, yamllint, ansible-lint

ruff: build-tree
	ruff check .
	ruff format --check .

# mypy cannot target Python 3.9 any more: vermin reads the node code for newer syntax and library calls, and
# `make sanity` compiles and imports it with a real Python 3.9 where there is one.
types: build-tree
	mypy -p tests -p ansible_collections.outward.kubelet.plugins
	mypy molecule
	vermin --quiet --violations --target=3.9- --no-tips plugins/modules plugins/module_utils/{_diagnosis,_host,_parse}

yaml: build-tree
	yamllint --strict .

ansible-lint: build-tree
	@rm -rf $(ANSIBLE_HOME)/collections # ansible-lint installs us there, and would read that copy for ever
	ansible-lint -q

sanity: build-tree ## ansible-test sanity, no ignore file
	@tests/tools/sanity.sh

unit: build-tree ## Unit tests, and those of node code once more in the form in which it is sent
	pytest
	pytest -p tests.tools.as_sent tests/unit/plugins/module_utils/_host

molecule: build-tree lab-up ## Molecule scenarios on the lab's VMs; S=NAME for one
	@$(PY) -m tests.tools.molecule $(S)

##@ Measured results
.PHONY: matrix matrix-recover matrix-quick quiet rbac drain chaos must-not-act concurrency certificates csr join bench floor undo disk advice bench-pure
HOSTS ?= pi-04,pi-05
comma := ,
matrix: build-tree lab-up ## Every fault on a real node, and its diagnosis (hours); writes docs/results/matrix.json
	@$(PY) -m tests.matrix --mode diagnose --everything --ready 60 --hosts $(HOSTS)

matrix-recover: build-tree lab-up ## The same with node-recover.yml, for the faults of the first causes
	@$(PY) -m tests.matrix --mode recover

# A dozen verdicts, one of each kind; nothing of it is kept.
matrix-quick: build-tree lab-up
	@rm -f .build/matrix-quick.json
	@$(PY) -m tests.matrix --mode diagnose --quick --hosts $(firstword $(subst $(comma), ,$(HOSTS))) --results .build/matrix-quick.json

quiet: build-tree lab-up ## Healthy nodes that look ill, over and over; writes docs/results/quiet.json
	@$(PY) -m tests.matrix --mode diagnose --everything --kind quiet --rounds 3 --hosts $(HOSTS) \
		--results docs/results/quiet.json

rbac: build-tree lab-up ## Each right of a role taken away in turn; writes docs/results/rbac.json
	@$(PY) -m tests.rbac

drain: build-tree lab-up ## Ours, kubectl's and kubernetes.core's drain side by side; writes docs/results/drain.json
	@$(PY) -m tests.drain --host $(firstword $(subst $(comma), ,$(HOSTS)))

chaos: build-tree lab-up ## A recovery interrupted at every task, and once more; writes docs/results/chaos.json
	@$(PY) -m tests.chaos --host $(firstword $(subst $(comma), ,$(HOSTS)))

must-not-act: build-tree lab-up ## Where nothing may be done; writes docs/results/must-not-act.json
	@$(PY) -m tests.mustnot --host $(firstword $(subst $(comma), ,$(HOSTS)))

concurrency: build-tree lab-up ## Several recoveries at once (lab-up WORKERS=3); writes docs/results/concurrency.json
	@$(PY) -m tests.concurrency

certificates: build-tree lab-up ## Client certificates that do not work, recovered; writes docs/results/certificates.json
	@$(PY) -m tests.certificates --host $(firstword $(subst $(comma), ,$(HOSTS)))

csr: build-tree lab-up ## Hostile certificate requests at the real API server; writes docs/results/csr.json
	@$(PY) -m tests.csr

join: build-tree lab-up ## Machines that join, beside a bare kubeadm join, and interrupted; writes docs/results/join.json
	@$(PY) -m tests.join --host $(firstword $(subst $(comma), ,$(HOSTS)))

bench: build-tree lab-up ## Cost against ping, setup and a person's hands; writes docs/results/bench.json
	@$(PY) -m tests.bench

floor: build-tree lab-up ## Each repair beside the same typed by hand, and a blind restart (hours); writes docs/results/floor.json
	@$(PY) -m tests.floor --host $(firstword $(subst $(comma), ,$(HOSTS)))

undo: build-tree lab-up ## Each repair taken back, because its proof is made to fail (hours); writes docs/results/undo.json
	@$(PY) -m tests.undo --host $(firstword $(subst $(comma), ,$(HOSTS)))

disk: build-tree lab-up ## Disks filled by logs, images, inodes and volumes: what goes, what stays; writes docs/results/disk.json
	@$(PY) -m tests.disk --host $(firstword $(subst $(comma), ,$(HOSTS)))

advice: build-tree lab-up ## What a person is told to type, typed (hours); writes docs/results/advice.json
	@$(PY) -m tests.advice --host $(firstword $(subst $(comma), ,$(HOSTS)))

bench-pure: build-tree ## Cost of the diagnosis alone, without the lab; writes docs/results/bench-pure.json
	@$(PY) -m tests.bench.pure

##@ Other
.PHONY: docs clean help
docs: build-tree ## Write the tables of docs/ and the manifests of examples/ from the code
	@for page in causes guards certificates remedy rbac; do $(PY) -m tests.tools.$$page || exit 1; done
	@$(PY) -m tests.matrix.table

clean: ## Remove what the build made here (the lab and caches stay: lab-down)
	rm -rf .build .venv .mypy_cache .ruff_cache .pytest_cache .ansible reports examples/pi-cluster/reports

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
