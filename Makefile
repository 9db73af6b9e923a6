# SPDX-License-Identifier: GPL-2.0
#
#   make                    modules for the running kernel (or KDIR=), tools
#   make install            both, with man pages (DESTDIR=, PREFIX=)
#   make dkms               the same, but the modules by DKMS
#   make uninstall          takes away what these two have put there
#   make modules KERNEL=7.3 modules for a kernel of selftests/vm/prepare.sh
#   make vm KERNEL=7.3 TEST=sockopt
#                           one test (all without TEST) in a guest
#   make vm-shell           a shell in the guest
#   make check              lint, unit tests, builds, selftests in guests
#   make check KERNEL=7.3   the same with the guest of that kernel only
#   make check-debug        selftests on a debug kernel, which is built first
#                           (KERNEL=debug-7.3: one of 7.3)
#   make check-races        selftests on a kernel with KCSAN, which finds data races
#                           (long)
#   make check-faults       every call that can fail fails once, in a kernel that
#                           is built for that first (long)
#   make coverage           lines and branches of the module that tests reach, as
#                           HTML in build/coverage/html (needs lcov; long)
#   make check KERNEL=debug the same on a kernel built to find bugs (see
#                           selftests/vm/debug.sh; long)
#   make check-programs     nginx, PostgreSQL and other programs of Debian under
#                           nst-run (PROG=nginx, KERNEL=uml, VMFLAGS=: see
#                           selftests/programs; long)
#   make demo               a transfer, an attacker, a new key under way
#   make bench              beside plain TCP and kTLS: instructions, then time
#   make bench-pictures     what Documentation/bench.md shows, drawn of its data
#   make report-pictures    how nstperf's report looks (needs Debian's chromium)
#   make check-nstperf      nstperf: every scenario in every mode, the wire watched
#   make check-charge       who pays for 10,000 records that are held, each way
#   make check-path         10,000 connections and a million datagrams through an
#                           attacker, and streams over a path that loses (KERNEL=uml;
#                           long)
#   make check-churn        100,000 connections that come and go (KERNEL=debug: with
#                           KASAN; long)
#   make check-configs      builds for kernels configured otherwise (a part of check)
#   make check-arm64        libnst and nst-run by a cross compiler
#   make check-fresh        the commands of README.md on a Debian 12 and a 13 of
#                           their own, with nothing installed (long)
#   make check-install      install, dkms and uninstall, for the three kernels
#   make check-packages     Debian packages for bookworm and trixie (long); then in a
#                           guest, sockets open: make check-programs PROG=packages
#                           PACKAGES='-a bookworm': by autopkgtest, with the demo
#   make check-watch        what Prometheus says of metrics, rules, dashboard
#   make lint, clean
#
# Everything built goes under build/ (BUILD=).

export NST_CACHE ?= /var/tmp/nst-cache
BUILD ?= $(CURDIR)/build
export NST_BUILD := $(abspath $(BUILD))

PREFIX ?= /usr/local
TOOLS := $(patsubst %/Makefile,%,$(wildcard userspace/*/Makefile))
MAN := $(wildcard Documentation/man/*.[1-8])
KSFT := $(NST_CACHE)/linux/tools/testing/selftests

# Headers of the running kernel; where there are none (a container, a kernel of
# one's own), the newest installed.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -d /lib/modules/*/build 2>/dev/null | sort -rV))

# As uname -r says it; Debian 12's kernel.release has another name.
RELEASE = $(shell sed -n 's/^\#define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)

all: modules tools

# $(1): make target of kbuild
kbuild-local = scripts/build-modules.sh --kdir "$(KDIR)" $(1)

ifdef KERNEL
modules:
	scripts/build-modules.sh $(KERNEL)
else
modules:
	$(call kbuild-local,modules)
endif

tools:
	set -e; for d in $(TOOLS); do \
		$(MAKE) -C $$d O=$(NST_BUILD)/tools WERROR=$(WERROR) all; done

# Whatever way the modules came before, there is one of each afterwards.
install: modules install-user
	[ -n "$(DESTDIR)" ] || { scripts/dkms.sh remove && \
		scripts/uninstall.sh modules; }
	$(call kbuild-local,modules_install INSTALL_MOD_PATH=$(DESTDIR) \
		CONFIG_MODULE_SIG_ALL=)
	[ -n "$(DESTDIR)" ] || { depmod "$(RELEASE)" && scripts/installed.sh; }

# The modules by DKMS instead: rebuilt for every kernel that comes.
dkms: install-user
	DESTDIR=$(DESTDIR) scripts/dkms.sh install "$(RELEASE)"
	[ -n "$(DESTDIR)" ] || { scripts/uninstall.sh modules && \
		scripts/installed.sh; }

install-user: tools
	set -e; for d in $(TOOLS); do \
		$(MAKE) -C $$d O=$(NST_BUILD)/tools DESTDIR=$(DESTDIR) \
			PREFIX=$(PREFIX) install; done
	$(MAKE) -C packaging DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install
	set -e; for f in $(MAN); do \
		install -D -m 644 $$f \
		$(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$${f##*/}; done
	set -e; for f in include/uapi/linux/*.h; do \
		install -D -m 644 $$f \
		$(DESTDIR)$(PREFIX)/include/linux/$${f##*/}; done
	[ -n "$(DESTDIR)" ] || PATH=$$PATH:/sbin ldconfig
	[ -e $(DESTDIR)/etc/modules-load.d/nst.conf ] || \
		install -D -m 644 packaging/modules-load.conf \
		$(DESTDIR)/etc/modules-load.d/nst.conf

uninstall:
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/uninstall.sh

# What runs in a guest. Warnings are errors in the project's own builds only.
selftests demo: WERROR := -Werror
selftests: tools
	$(MAKE) -C selftests/net KSFT=$(KSFT) O=$(NST_BUILD)/selftests/net all

demo:
	selftests/vm/prepare.sh 6.1
	$(MAKE) tools WERROR=$(WERROR)
	$(MAKE) -C selftests/demo O=$(NST_BUILD)/selftests/demo all
	scripts/build-modules.sh 6.1
	selftests/vm/run.sh -t 1800 6.1 demo.sh

bench:
	selftests/vm/prepare.sh 6.1
	selftests/bench/icount.sh -n 3 -t 20 -m "plain ktls ktls-nopad nst"
	selftests/bench/uml.sh -m "plain ktls ktls-nopad nst"

# What bench.md shows, of the documents in Documentation/bench.
bench-pictures: tools
	selftests/bench/pictures.sh

# How a report looks on a phone and on a screen, into Documentation/nstperf.
report-pictures: tools
	selftests/perf/look.sh

vm: selftests
	scripts/build-modules.sh $(or $(KERNEL),6.1)
	selftests/vm/run.sh $(VMFLAGS) $(or $(KERNEL),6.1) $(if $(TEST),"$(TEST)")

vm-shell: selftests
	scripts/build-modules.sh $(or $(KERNEL),6.1)
	selftests/vm/run.sh -i $(VMFLAGS) $(or $(KERNEL),6.1)

lint:
	scripts/lint.sh | tee $(NST_BUILD)/lint.tap
	@selftests/vm/summary.sh -q $(NST_BUILD)/lint.tap

check-fresh:
	scripts/check-fresh.sh

check-install:
	selftests/vm/prepare.sh 6.1 6.12 7.3
	$(MAKE) selftests
	scripts/check-install.sh

.PHONY: check-packages check-watch

check-packages:
	scripts/check-packages.sh $(PACKAGES)

check-watch:
	selftests/vm/prepare.sh 6.1 uml
	$(MAKE) selftests
	scripts/build-modules.sh uml
	selftests/watch/check.sh

# 10,000 records open, and as many gathered, each of them completed at the end.
check-charge:
	selftests/vm/prepare.sh 6.1
	$(MAKE) selftests
	scripts/build-modules.sh 6.1
	selftests/vm/run.sh -m 6G -t 3600 6.1 tcp_charge_many

# What fails prints NST_SEED; VMFLAGS='-a NST_SEED=...' plays it again.
check-path:
	selftests/vm/prepare.sh $(or $(KERNEL),6.1)
	$(MAKE) selftests
	scripts/build-modules.sh $(or $(KERNEL),6.1)
	selftests/vm/run.sh -t 14400 -a NST_ROUNDS=20 $(VMFLAGS) $(or $(KERNEL),6.1) \
		'path_attack 10000' 'path_dgram 1000000' path_loss

check-churn:
	selftests/vm/prepare.sh $(or $(KERNEL),6.1)
	$(MAKE) selftests
	scripts/build-modules.sh $(or $(KERNEL),6.1)
	selftests/vm/run.sh -t 14400 $(VMFLAGS) $(or $(KERNEL),6.1) 'churn 100000'
check-nstperf:
	selftests/vm/prepare.sh $(or $(KERNEL),6.1)
	$(MAKE) selftests
	scripts/build-modules.sh $(or $(KERNEL),6.1)
	selftests/vm/run.sh $(VMFLAGS) -t 1800 $(or $(KERNEL),6.1) \
		'nstperf.sh all'

# Debian with systemd in a guest, and what people run there.
check-programs:
	selftests/vm/prepare.sh $(or $(KERNEL),6.1)
	selftests/programs/image.sh
	$(MAKE) tools WERROR=-Werror
	$(MAKE) -C selftests/programs O=$(NST_BUILD)/programs all
	scripts/build-modules.sh $(or $(KERNEL),6.1)
	selftests/programs/run.sh $(VMFLAGS) $(or $(KERNEL),6.1) $(PROG)

check-configs:
	scripts/check-configs.sh

check-arm64:
	scripts/check-arm64.sh

check:
	scripts/check.sh $(KERNEL)

check-all:
	scripts/check.sh 6.1 6.12 7.3

# The second run looks for leaks too, which makes all several times slower.
LEAK_TESTS = sockopt netlink tcp_key tcp_ctl tcp_charge tcp_close rotation hostile_end udp_memory udp_next

# User Mode Linux's kmemleak does not know where modules are, and says so at each
# load; what a failure has left behind is told by KASAN and the module's unloading.
FAULTS = faults_load.sh faults_tcp faults_udp faults_accept faults_admin

check-faults:
	selftests/vm/prepare.sh uml-fault
	$(MAKE) selftests
	scripts/build-modules.sh uml-fault
	selftests/vm/run.sh -t 900 -a kmemleak=off uml-fault $(FAULTS)

coverage:
	selftests/vm/prepare.sh uml-fault
	$(MAKE) selftests
	scripts/coverage.sh $(TEST)

check-debug: KERNEL := $(or $(KERNEL),debug)
check-debug:
	selftests/vm/prepare.sh 6.1 $(KERNEL)
	$(MAKE) selftests
	scripts/build-modules.sh $(KERNEL)
	{ selftests/vm/guests.sh $(KERNEL); \
		selftests/vm/run.sh -d $(KERNEL) $(LEAK_TESTS); } | \
		tee $(NST_BUILD)/$(KERNEL).tap
	@selftests/vm/summary.sh -q $(NST_BUILD)/$(KERNEL).tap

check-races:
	selftests/vm/prepare.sh 6.1 kcsan
	$(MAKE) selftests
	scripts/build-modules.sh kcsan
	selftests/vm/guests.sh kcsan

clean:
	rm -rf $(NST_BUILD)

.PHONY: bench-pictures report-pictures
.PHONY: all modules tools install install-user dkms uninstall selftests demo bench vm vm-shell lint check \
	check-charge check-churn check-path check-nstperf check-configs check-arm64 check-programs check-fresh check-install check-all \
	check-debug check-races check-faults coverage clean
