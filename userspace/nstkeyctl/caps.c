// SPDX-License-Identifier: GPL-2.0
/* caps: the suites that this kernel can do, and with which driver. */
#include <string.h>
#include "json.h"
#include "nl.h"
#include "nstkeyctl.h"

static void caps_json(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_CAPS_MAX + 1];
	int err;

	(void)data;
	nl_parse(nlh, tb, NST_A_CAPS_MAX);
	err = nl_u32(tb[NST_A_CAPS_ERROR]);
	json_object(NULL);
	json_uint("id", nl_u32(tb[NST_A_CAPS_SUITE]));
	json_string("name", nl_string(tb[NST_A_CAPS_NAME]));
	json_bool("available", !err);
	if (err) {
		json_string("error", strerror(err));
	} else {
		json_string("aead", nl_string(tb[NST_A_CAPS_AEAD]));
		json_string("hmac", nl_string(tb[NST_A_CAPS_HMAC]));
	}
	json_object_end();
}

static void caps_text(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_CAPS_MAX + 1];
	int err;

	(void)data;
	nl_parse(nlh, tb, NST_A_CAPS_MAX);
	err = nl_u32(tb[NST_A_CAPS_ERROR]);
	printf("%2u  %-17s  ", nl_u32(tb[NST_A_CAPS_SUITE]),
	       nl_string(tb[NST_A_CAPS_NAME]));
	if (err)
		printf("not in this kernel: %s\n", strerror(err));
	else
		printf("%s, %s\n", nl_string(tb[NST_A_CAPS_AEAD]),
		       nl_string(tb[NST_A_CAPS_HMAC]));
}

/* caps */
int cmd_caps(const struct options *opt, char **args)
{
	struct nl nl;
	int err = nl_open(&nl);

	(void)args;
	if (!err && opt->json) {
		json_object(NULL);
		json_array("suites");
	}
	if (!err)
		err = nl_simple(&nl, NST_CMD_CAPS_GET, NLM_F_DUMP,
				opt->json ? caps_json : caps_text, NULL);
	if (!err && opt->json) {
		json_array_end();
		json_object_end();
		json_flush();
	}
	if (err)
		nl_explain(&nl, "caps", err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}
