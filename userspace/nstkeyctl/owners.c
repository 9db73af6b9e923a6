// SPDX-License-Identifier: GPL-2.0
/* owners: who holds how much of what is remembered of STARTs and datagrams. */
#include <inttypes.h>
#include <stdio.h>
#include "json.h"
#include "nl.h"
#include "nstkeyctl.h"

static void owner_json(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_OWNER_MAX + 1];

	(void)data;
	nl_parse(nlh, tb, NST_A_OWNER_MAX);
	json_object(NULL);
	if (tb[NST_A_OWNER_UID])
		json_uint("uid", nl_u32(tb[NST_A_OWNER_UID]));
	else
		json_string("owner", "namespace");
	json_uint("bytes", nl_u64(tb[NST_A_OWNER_BYTES]));
	json_uint("bytes_max", nl_u64(tb[NST_A_OWNER_LIMIT]));
	json_uint("sessions", nl_u32(tb[NST_A_OWNER_SESSIONS]));
	json_uint("starts", nl_u32(tb[NST_A_OWNER_STARTS]));
	json_uint("floors", nl_u32(tb[NST_A_OWNER_FLOORS]));
	json_object_end();
}

static void owner_text(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_OWNER_MAX + 1];
	unsigned int *nr = data;

	++*nr;
	nl_parse(nlh, tb, NST_A_OWNER_MAX);
	if (tb[NST_A_OWNER_UID])
		printf("uid %u", nl_u32(tb[NST_A_OWNER_UID]));
	else
		printf("namespace");
	printf("  %" PRIu64 " of %" PRIu64 " bytes, %u sessions, %u starts, %u floors\n",
	       nl_u64(tb[NST_A_OWNER_BYTES]),
	       nl_u64(tb[NST_A_OWNER_LIMIT]),
	       nl_u32(tb[NST_A_OWNER_SESSIONS]),
	       nl_u32(tb[NST_A_OWNER_STARTS]),
	       nl_u32(tb[NST_A_OWNER_FLOORS]));
}

static int list(struct nl *nl, int json)
{
	unsigned int nr = 0;
	int err;

	if (json) {
		json_object(NULL);
		json_array("owners");
	}
	err = nl_simple(nl, NST_CMD_OWNER_GET, NLM_F_DUMP,
			json ? owner_json : owner_text, &nr);
	if (err) {
		json_drop();
		return err;
	}
	if (json) {
		json_array_end();
		json_object_end();
		json_flush();
	} else if (!nr) {
		puts("Nothing is remembered on your account (CAP_NET_ADMIN sees all owners).");
	}
	return 0;
}

/* owners */
int cmd_owners(const struct options *opt, char **args)
{
	struct nl nl;
	int err = nl_open(&nl);

	(void)args;
	if (!err)
		err = list(&nl, opt->json);
	if (err)
		nl_explain(&nl, "owners", err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}
