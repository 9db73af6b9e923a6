// SPDX-License-Identifier: GPL-2.0
/* owners: who holds how much of what is remembered of STARTs and datagrams. */
#include <inttypes.h>
#include <stdio.h>
#include "json.h"
#include "list.h"
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

	(void)data;
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

/* owners */
int cmd_owners(const struct options *opt, char **args)
{
	static const struct list list = {
		.name = "owners",
		.array = "owners",
		.none = "Nothing is remembered on your account (CAP_NET_ADMIN sees all owners).",
		.cmd = NST_CMD_OWNER_GET,
		.text = owner_text,
		.json = owner_json,
	};

	(void)args;
	return list_command(&list, opt, NULL);
}
