// SPDX-License-Identifier: GPL-2.0
/* doctor: why does it not work? One check after the other, each with a way out. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include "guard.h"
#include "json.h"
#include "nl.h"
#include "nstkeyctl.h"

enum verdict { GOOD, WARN, FAIL };

/* What is found out on the way. */
struct patient {
	int json;
	int failed;
	struct nl nl;
	int nl_err;		/* of nl_open() */
	unsigned int suites;	/* usable ones */
	unsigned int missing;	/* suites that are not */
	char missing_names[256];
};

__attribute__((format(printf, 4, 5)))
static void report(struct patient *patient, const char *check,
		   enum verdict verdict, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warn", "fail" };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	patient->failed |= verdict == FAIL;
	if (!patient->json) {
		printf("%-4s  %-8s  %s\n", names[verdict], check, text);
		return;
	}
	json_object(NULL);
	json_string("check", check);
	json_string("status", names[verdict]);
	json_string("text", text);
	json_object_end();
}

/* A small file in /proc. Return: 0, or -1 if it cannot be read. */
static int read_line(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	char *got;

	if (!f)
		return -1;
	got = fgets(text, size, f);
	fclose(f);
	return got ? 0 : -1;
}

static long read_sysctl(const char *name, long missing)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/sys/net/nst/%s", name);
	return read_line(path, text, sizeof(text)) ? missing : atol(text);
}

struct module_info {
	uint32_t protocol;
	uint32_t keys;
	uint16_t active;
	char release[64];
};

static void take_info(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_INFO_MAX + 1];
	struct module_info *info = data;

	nl_parse(nlh, tb, NST_A_INFO_MAX);
	info->protocol = nl_u32(tb[NST_A_INFO_PROTOCOL]);
	info->keys = nl_u32(tb[NST_A_INFO_KEYS]);
	info->active = nl_u16(tb[NST_A_INFO_ACTIVE]);
	snprintf(info->release, sizeof(info->release), "%s",
		 nl_string(tb[NST_A_INFO_RELEASE]));
}

static int get_info(struct patient *patient, struct module_info *info)
{
	memset(info, 0, sizeof(*info));
	return nl_simple(&patient->nl, NST_CMD_INFO_GET, NLM_F_ACK, take_info,
			 info);
}

static void check_module(struct patient *patient)
{
	struct module_info info;
	int err = patient->nl_err;

	if (!err)
		err = get_info(patient, &info);
	if (err == -ENOENT)
		report(patient, "module", FAIL,
		       "nst_ulp is not loaded: 'modprobe nst_ulp'; if that finds none, 'make install' for this kernel");
	else if (err)
		report(patient, "module", FAIL, "netlink: %s", strerror(-err));
	else
		report(patient, "module", GOOD, "nst_ulp %s, protocol %u",
		       info.release, info.protocol);
}

/* A list of words: is @word one of them? */
static int has_word(char *list, const char *word)
{
	char *save, *w = strtok_r(list, "\n ", &save);

	while (w && strcmp(w, word))
		w = strtok_r(NULL, "\n ", &save);
	return !!w;
}

/*
 * Whether a socket can be attached shows by attaching one. The list of ULPs
 * tells more, but is not shown in every namespace.
 */
static void check_ulp(struct patient *patient)
{
	char list[256];
	int fd, err;

	if (!read_line("/proc/sys/net/ipv4/tcp_available_ulp", list,
		       sizeof(list)) && !has_word(list, "nst")) {
		report(patient, "ulp", FAIL,
		       "tcp_available_ulp does not name nst: 'modprobe nst_ulp'");
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nst", 3) < 0 ?
		errno : 0;
	if (fd >= 0)
		close(fd);
	if (!err)
		report(patient, "ulp", GOOD, "a TCP socket can be attached");
	else if (err == EPERM && !read_sysctl("enabled", 1))
		report(patient, "ulp", FAIL,
		       "switched off here: 'sysctl net.nst.enabled=1'");
	else
		report(patient, "ulp", FAIL,
		       "attaching a TCP socket fails: %s", strerror(err));
}

static void take_suite(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_CAPS_MAX + 1];
	struct patient *patient = data;
	size_t len = strlen(patient->missing_names);

	nl_parse(nlh, tb, NST_A_CAPS_MAX);
	if (!nl_u32(tb[NST_A_CAPS_ERROR])) {
		patient->suites++;
		return;
	}
	patient->missing++;
	snprintf(patient->missing_names + len,
		 sizeof(patient->missing_names) - len, " %s",
		 nl_string(tb[NST_A_CAPS_NAME]));
}

static void check_suites(struct patient *patient)
{
	int err = nl_simple(&patient->nl, NST_CMD_CAPS_GET, NLM_F_DUMP,
			    take_suite, patient);

	if (err)
		report(patient, "suites", FAIL, "netlink: %s", strerror(-err));
	else if (!patient->suites)
		report(patient, "suites", FAIL,
		       "this kernel can do none: its modules for gcm, cbc and aes are missing");
	else if (patient->missing)
		report(patient, "suites", WARN,
		       "%u usable, not in this kernel:%s (for sm4: 'modprobe nst_sm')",
		       patient->suites, patient->missing_names);
	else
		report(patient, "suites", GOOD, "all %u usable",
		       patient->suites);
}

/* No clock that is right shows less: it is the time this was written. */
#define TIME_SANE	1795305600L	/* 2026-11-22 */

static void check_clock(struct patient *patient)
{
	long window = read_sysctl("timestamp_window", 0);
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

static void check_box(struct patient *patient)
{
	struct module_info info;
	int err = get_info(patient, &info);

	if (err)
		report(patient, "box", FAIL, "netlink: %s", strerror(-err));
	else if (!info.keys)
		report(patient, "box", WARN,
		       "empty in this network namespace; sockets without keys of their own cannot send: 'nstkeyctl genbox FILE', copy it to the peer, 'nstkeyctl load FILE' on both");
	else
		report(patient, "box", GOOD, "%u keys, kid %u is active",
		       info.keys, info.active);
}

static void check_guard(struct patient *patient)
{
	struct guard_rules *rules = calloc(1, sizeof(*rules));
	int err = rules ? guard_get(&patient->nl, rules) : -ENOMEM;
	unsigned int i, dry = 0;
	uint64_t stopped = 0;

	for (i = 0; !err && i < rules->nr; i++) {
		dry += !!rules->rule[i].dry_run;
		stopped += guard_stopped(&rules->rule[i], NST_DIRECTION_IN) +
			   guard_stopped(&rules->rule[i], NST_DIRECTION_OUT);
	}
	if (err)
		report(patient, "guard", FAIL, "netlink: %s", strerror(-err));
	else if (!rules->nr)
		report(patient, "guard", GOOD, "no port is guarded");
	else if (stopped)
		report(patient, "guard", WARN,
		       "%u ports guarded, %u of them as a dry run; %" PRIu64
		       " packets were no NST: 'nstkeyctl guard show'",
		       rules->nr, dry, stopped);
	else
		report(patient, "guard", GOOD,
		       "%u ports guarded, %u of them as a dry run; nothing was stopped",
		       rules->nr, dry);
	free(rules);
}

static void check_rights(struct patient *patient)
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

/* What the commonest refusals mean to who administers. */
static const struct {
	const char *name;
	const char *text;
} refusals[] = {
	{ "NstRxHdrMagic", "the peer does not speak NST" },
	{ "NstRxNoKid",
	  "the peer used a kid that this box lacks: compare 'nstkeyctl show' on both" },
	{ "NstRxKidRetired",
	  "the peer still uses a retired key: activate the new one there" },
	{ "NstRxPolicySuite",
	  "the peer used another suite than the program allows" },
	{ "NstRxPolicyKid", "the peer used another key than the program allows" },
	{ "NstRxNoSuite",
	  "the peer used a suite that is not in this kernel: 'nstkeyctl caps'" },
	{ "NstRxTimePast",
	  "the peer's clock is behind this one, or a start was replayed" },
	{ "NstRxTimeFuture", "the peer's clock is ahead of this one" },
	{ "NstRxCacheAge",
	  "begun before the module was loaded here: works when begun again" },
	{ "NstRxCacheFloor",
	  "more connections than net.nst.start_cache_max remembers" },
	{ "NstRxAuth",
	  "keys or contexts differ under one kid, or someone meddles: compare fingerprints" },
	{ "NstRxReplayed", "a connection's start was replayed" },
	{ "NstRxTruncated",
	  "peers vanished without closing, or someone cut connections" },
};

#define NR_REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

static void check_refusals(struct patient *patient)
{
	char line[128], name[64];
	FILE *f = fopen("/proc/net/nst_stat", "re");
	unsigned int i, found = 0;
	uint64_t value;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %" SCNu64, name, &value) != 2 || !value)
			continue;
		for (i = 0; i < NR_REFUSALS; i++) {
			if (strcmp(refusals[i].name, name))
				continue;
			found++;
			report(patient, "refused", WARN, "%" PRIu64 " x %s: %s",
			       value, name, refusals[i].text);
		}
	}
	if (f)
		fclose(f);
	if (!f)
		report(patient, "refused", FAIL, "/proc/net/nst_stat: %s",
		       strerror(errno));
	else if (!found)
		report(patient, "refused", GOOD,
		       "nothing a wrong set-up would cause");
}

/* doctor */
int cmd_doctor(const struct options *opt, char **args)
{
	struct patient patient = { .json = opt->json };

	(void)args;
	patient.nl_err = nl_open(&patient.nl);
	if (opt->json) {
		json_object(NULL);
		json_array("checks");
	}
	check_module(&patient);
	check_ulp(&patient);
	check_clock(&patient);
	check_rights(&patient);
	if (!patient.nl_err) {
		check_suites(&patient);
		check_box(&patient);
		check_guard(&patient);
		check_refusals(&patient);
	}
	if (opt->json) {
		json_array_end();
		json_bool("ok", !patient.failed);
		json_object_end();
		json_flush();
	}
	nl_close(&patient.nl);
	return patient.failed ? EXIT_FAILED : EXIT_OK;
}
