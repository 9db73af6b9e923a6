// SPDX-License-Identifier: GPL-2.0
/* caps: the suites that this kernel can do, and with which driver. */
#include <stdio.h>
#include <string.h>
#include "caps.h"
#include "json.h"
#include "list.h"
#include "mode.h"
#include "nl.h"
#include "nstkeyctl.h"

/* Does the processor have instructions for AES? Its list of features says. */
static int cpu_has_aes(void)
{
	char line[4096];
	FILE *f = fopen("/proc/cpuinfo", "re");
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "flags", 5) && strncmp(line, "Features", 8))
			continue;
		line[strcspn(line, "\n")] = ' ';
		found = !!strstr(line, " aes ");
	}
	if (f)
		fclose(f);
	return found;
}

/**
 * caps_tables() - does a driver look bytes up in tables?
 * @driver: its name, as the kernel tells it
 *
 * The library's AES takes the processor's instructions where there are some.
 *
 * Return: the cipher that takes longer or shorter by what is looked up, or NULL.
 */
const char *caps_tables(const char *driver)
{
	if (strstr(driver, "aes-generic") ||
	    (strstr(driver, "aes") && strstr(driver, "-lib") && !cpu_has_aes()))
		return "AES";
	if (strstr(driver, "sm4-generic") || strstr(driver, "sm4-nst"))
		return "SM4";
	return NULL;
}

/**
 * caps_tables_hint() - what to do about AES on tables
 *
 * Return: a static string.
 */
const char *caps_tables_hint(void)
{
	if (cpu_has_aes())
		return "the processor has instructions for it: 'modprobe aesni_intel' (x86)";
	return "the processor has no instructions for it; chacha20-poly1305 needs no tables";
}

/* Why a suite is missing. */
static const char *reason(const struct mode *mode, uint32_t suite, int err)
{
	return mode_forbids(mode, suite) ? "not allowed in FIPS mode" :
					   strerror(err);
}

static void caps_json(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_CAPS_MAX + 1];
	uint32_t suite;
	int err;

	nl_parse(nlh, tb, NST_A_CAPS_MAX);
	suite = nl_u32(tb[NST_A_CAPS_SUITE]);
	err = nl_u32(tb[NST_A_CAPS_ERROR]);
	json_object(NULL);
	json_uint("id", suite);
	json_string("name", nl_string(tb[NST_A_CAPS_NAME]));
	json_bool("available", !err);
	if (err) {
		json_string("error", reason(data, suite, err));
	} else {
		json_string("aead", nl_string(tb[NST_A_CAPS_AEAD]));
		json_string("hmac", nl_string(tb[NST_A_CAPS_HMAC]));
		json_bool("tables",
			  !!caps_tables(nl_string(tb[NST_A_CAPS_AEAD])));
		json_bool("datagrams", !tb[NST_A_CAPS_STREAMS_ONLY]);
	}
	json_object_end();
}

static void caps_text(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_CAPS_MAX + 1];
	const char *tables;
	uint32_t suite;
	int err;

	nl_parse(nlh, tb, NST_A_CAPS_MAX);
	suite = nl_u32(tb[NST_A_CAPS_SUITE]);
	err = nl_u32(tb[NST_A_CAPS_ERROR]);
	printf("%2u  %-17s  ", suite, nl_string(tb[NST_A_CAPS_NAME]));
	if (err) {
		printf("not in this kernel: %s\n", reason(data, suite, err));
		return;
	}
	tables = caps_tables(nl_string(tb[NST_A_CAPS_AEAD]));
	printf("%s, %s", nl_string(tb[NST_A_CAPS_AEAD]),
	       nl_string(tb[NST_A_CAPS_HMAC]));
	if (tables)
		printf(" (%s on tables)", tables);
	if (tb[NST_A_CAPS_STREAMS_ONLY])
		printf(" (TCP only: no driver for datagrams)");
	putchar('\n');
}

/* caps */
int cmd_caps(const struct options *opt, char **args)
{
	static const struct list list = {
		.name = "caps",
		.array = "suites",
		.cmd = NST_CMD_CAPS_GET,
		.text = caps_text,
		.json = caps_json,
	};
	struct mode mode;

	(void)args;
	mode_get(&mode);
	return list_command(&list, opt, &mode);
}
