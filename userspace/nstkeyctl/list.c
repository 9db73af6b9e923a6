// SPDX-License-Identifier: GPL-2.0
/* Lists of what the kernel dumps, as text or as JSON. */
#include <stdio.h>
#include "json.h"
#include "list.h"

/* A list under way. */
struct dump {
	nl_cb write;
	void *data;
	unsigned int nr;
};

static void entry(const struct nlmsghdr *nlh, void *data)
{
	struct dump *dump = data;

	dump->nr++;
	dump->write(nlh, dump->data);
}

static int write_list(struct nl *nl, const struct list *list, int json,
		      struct dump *dump)
{
	int err;

	if (json) {
		json_object(NULL);
		json_array(list->array);
	}
	err = nl_simple(nl, list->cmd, NLM_F_DUMP, entry, dump);
	if (err) {
		json_drop();
		return err;
	}
	if (json) {
		json_array_end();
		json_object_end();
		json_flush();
	} else if (!dump->nr && list->none) {
		puts(list->none);
	}
	return 0;
}

/**
 * list_command() - all of a command that lists
 * @list: the command
 * @opt: --json or not
 * @data: for its callbacks
 *
 * Return: the exit status.
 */
int list_command(const struct list *list, const struct options *opt, void *data)
{
	struct dump dump = {
		.write = opt->json ? list->json : list->text,
		.data = data,
	};
	struct nl nl;
	int err = nl_open(&nl);

	if (!err)
		err = write_list(&nl, list, opt->json, &dump);
	if (err)
		nl_explain(&nl, list->name, err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}
