// SPDX-License-Identifier: GPL-2.0
/* doctor on this machine: module, kernel, sockets, suites, clock, rights. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <linux/nst.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include "caps.h"
#include "doctor.h"

static void take_info(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_INFO_MAX + 1];
	struct patient *patient = data;

	nl_parse(nlh, tb, NST_A_INFO_MAX);
	report(patient, "module", GOOD, "nst_ulp %s, protocol %u",
	       nl_string(tb[NST_A_INFO_RELEASE]),
	       nl_u32(tb[NST_A_INFO_PROTOCOL]));
}

/**
 * check_module() - is it there, and does it answer?
 * @patient: its conversation is open afterwards, if it does
 *
 * Nothing is loaded: that it was not there is what is to be found out.
 *
 * Return: 0, or -1 if nothing more can be asked.
 */
int check_module(struct patient *patient)
{
	char text[512];
	int err;

	if (!module_loaded()) {
		module_absence(&patient->mode, text, sizeof(text));
		report(patient, "module", FAIL, "%s", text);
		return -1;
	}
	err = nl_open(&patient->nl);
	if (!err)
		err = nl_simple(&patient->nl, NST_CMD_INFO_GET, NLM_F_ACK,
				take_info, patient);
	if (err)
		report(patient, "module", FAIL, "netlink: %s", strerror(-err));
	return err ? -1 : 0;
}

/**
 * check_kernel() - what restrains this kernel
 * @patient: its mode is known
 */
void check_kernel(struct patient *patient)
{
	const struct mode *mode = &patient->mode;

	if (mode->no_fips)
		report(patient, "kernel", WARN,
		       "started with fips=1, but this kernel is built without FIPS mode (CONFIG_CRYPTO_FIPS): nothing is forbidden");
	if (!mode->fips && !mode->lockdown && !mode->signed_only &&
	    !mode->no_modules && !mode->no_fips) {
		report(patient, "kernel", GOOD, "no mode that restrains NST");
		return;
	}
	if (mode->fips)
		report(patient, "kernel", GOOD,
		       "FIPS mode: suites with SM4 or ChaCha20 are not allowed, so use one of aes; NST itself is not validated");
	if (mode->lockdown || mode->signed_only)
		report(patient, "kernel", GOOD, "loads only signed modules: %s",
		       mode->lockdown ? "lockdown" : "module.sig_enforce");
	if (mode->no_modules)
		report(patient, "kernel", GOOD,
		       "kernel.modules_disabled is 1: what is not loaded stays away until the next boot");
}

/* A list of words: is @word one of them? */
static int has_word(char *list, const char *word)
{
	char *save, *w = strtok_r(list, "\n ", &save);

	while (w && strcmp(w, word))
		w = strtok_r(NULL, "\n ", &save);
	return !!w;
}

static void report_attach(struct patient *patient, const char *check,
			  const char *what, int err)
{
	if (!err)
		report(patient, check, GOOD, "a %s socket can be attached",
		       what);
	else if (err == EPERM && !doctor_sysctl("enabled", 1))
		report(patient, check, FAIL,
		       "switched off here: 'sysctl net.nst.enabled=1'");
	else
		report(patient, check, FAIL, "attaching a %s socket fails: %s",
		       what, strerror(err));
}

/**
 * check_tcp() - can a TCP socket be attached?
 * @patient: whose
 *
 * That shows by attaching one. The list of ULPs tells more, but is not shown in
 * every namespace.
 */
void check_tcp(struct patient *patient)
{
	char list[256];
	int fd, err;

	if (!read_line("/proc/sys/net/ipv4/tcp_available_ulp", list,
		       sizeof(list)) && !has_word(list, "nst")) {
		report(patient, "ulp", FAIL,
		       "tcp_available_ulp does not name nst: is nst_ulp going away?");
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nst", 3) < 0 ?
		errno : 0;
	if (fd >= 0)
		close(fd);
	report_attach(patient, "ulp", "TCP", err);
}

/**
 * check_udp() - can a UDP socket be attached?
 * @patient: whose
 */
void check_udp(struct patient *patient)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, err;

	err = fd < 0 || setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one,
				   sizeof(one)) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	report_attach(patient, "udp", "UDP", err);
}

/* The suites of this kernel. */
struct suites {
	const struct mode *mode;
	unsigned int usable;
	unsigned int missing;	/* and the mode does not explain it */
	unsigned int aes_tables;	/* done with AES on tables */
	char missing_names[160];
	char forbidden_names[160];
	char tcp_names[160];	/* no driver opens datagrams of these */
};

static void add_name(char *names, size_t size, const char *name)
{
	size_t len = strlen(names);

	snprintf(names + len, size - len, " %s", name);
}

static void take_suite(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_CAPS_MAX + 1];
	struct suites *suites = data;
	const char *name, *tables;

	nl_parse(nlh, tb, NST_A_CAPS_MAX);
	name = nl_string(tb[NST_A_CAPS_NAME]);
	if (!nl_u32(tb[NST_A_CAPS_ERROR])) {
		suites->usable++;
		tables = caps_tables(nl_string(tb[NST_A_CAPS_AEAD]));
		if (tables && !strcmp(tables, "AES"))
			suites->aes_tables++;
		if (tb[NST_A_CAPS_STREAMS_ONLY])
			add_name(suites->tcp_names, sizeof(suites->tcp_names),
				 name);
	} else if (mode_forbids(suites->mode, nl_u32(tb[NST_A_CAPS_SUITE]))) {
		add_name(suites->forbidden_names,
			 sizeof(suites->forbidden_names), name);
	} else {
		suites->missing++;
		add_name(suites->missing_names, sizeof(suites->missing_names),
			 name);
	}
}

static const char *missing_hint(const struct mode *mode)
{
	if (mode->no_modules)
		return "kernel.modules_disabled is 1: have 'nstkeyctl caps' run before that is set";
	return "for sm4: 'modprobe nst_sm'";
}

/**
 * check_suites() - which suites can this kernel do, and how?
 * @patient: whose
 */
void check_suites(struct patient *patient)
{
	struct suites suites = { .mode = &patient->mode };
	int err = nl_simple(&patient->nl, NST_CMD_CAPS_GET, NLM_F_DUMP,
			    take_suite, &suites);

	if (err)
		report(patient, "suites", FAIL, "netlink: %s", strerror(-err));
	else if (!suites.usable)
		report(patient, "suites", FAIL,
		       "this kernel can do none: its modules for gcm, cbc and aes are missing");
	else if (suites.missing)
		report(patient, "suites", WARN,
		       "%u usable, not in this kernel:%s (%s)", suites.usable,
		       suites.missing_names, missing_hint(&patient->mode));
	else if (*suites.forbidden_names)
		report(patient, "suites", GOOD,
		       "%u usable, not allowed in FIPS mode:%s", suites.usable,
		       suites.forbidden_names);
	else
		report(patient, "suites", GOOD, "all %u usable", suites.usable);
	if (!err && *suites.tcp_names)
		report(patient, "suites", WARN, "for TCP only:%s (%s)",
		       suites.tcp_names, patient->mode.no_modules ?
		       missing_hint(&patient->mode) :
		       "no driver of this kernel opens datagrams of these");
	if (!err && suites.aes_tables)
		report(patient, "aes", WARN,
		       "runs on tables, so it is slow, and programs that share the processor may learn of keys by the time it takes; %s",
		       caps_tables_hint());
}

/* No clock that is right shows less: it is the time this was written. */
#define TIME_SANE	1795305600L	/* 2026-11-22 */

/* The window, in seconds, where the module is not there to tell. */
#define WINDOW_DEFAULT	30

/**
 * check_clock() - is it right?
 * @patient: whose
 */
void check_clock(struct patient *patient)
{
	long window = doctor_sysctl("timestamp_window", WINDOW_DEFAULT);
	struct timex tx = { 0 };
	int state = adjtimex(&tx);

	if (time(NULL) < TIME_SANE)
		report(patient, "clock", FAIL,
		       "it is wrong, it shows a time long past: set it, and run NTP; peers refuse what is more than %ld s off",
		       window);
	else if (state < 0)
		report(patient, "clock", WARN,
		       "cannot tell whether it is synchronised: %s",
		       strerror(errno));
	else if (state == TIME_ERROR || tx.status & STA_UNSYNC)
		report(patient, "clock", WARN,
		       "not synchronised by NTP: once it is more than %ld s off, peers refuse what is not in strict mode",
		       window);
	else
		report(patient, "clock", GOOD,
		       "synchronised, error below %ld ms, window %ld s",
		       tx.maxerror / 1000, window);
}

/**
 * check_rights() - may the caller change anything?
 * @patient: whose
 */
void check_rights(struct patient *patient)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct cap[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (!syscall(SYS_capget, &hdr, cap) &&
	    cap[CAP_NET_ADMIN / 32].effective & (1U << CAP_NET_ADMIN % 32))
		report(patient, "rights", GOOD,
		       "CAP_NET_ADMIN: may change the box");
	else
		report(patient, "rights", WARN,
		       "no CAP_NET_ADMIN: may look, and use sockets, but not change the box");
}
