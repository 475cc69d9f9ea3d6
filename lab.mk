# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The real cluster to break; see tests/lab.
LAB := python3 -m tests.lab
HOST ?= pi-04
ARGS ?= get nodes,pods -A -o wide

.PHONY: lab-up lab-down lab-status lab-reset lab-ssh lab-kubectl

lab-up: ## Have the lab running; WORKERS=3 for more than two
	$(LAB) up $(if $(WORKERS),--workers $(WORKERS))

lab-down: ## End everything the lab runs; the next lab-up resumes it
	$(LAB) down

lab-status: ## What runs in the lab, and how the nodes are
	$(LAB) status

lab-reset: ## Return the lab to its baseline; HOSTS=pi-04 for one node only
	$(LAB) reset $(HOSTS)

lab-ssh: ## A shell on a node of the lab: HOST=pi-04
	$(LAB) ssh $(HOST)

lab-kubectl: ## kubectl in the lab: ARGS="get nodes"
	$(LAB) kubectl -- $(ARGS)
