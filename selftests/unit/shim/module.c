// SPDX-License-Identifier: GPL-2.0
/* Modules come and go when a test says so, and one watches. */
#include <linux/module.h>

static struct notifier_block *watcher;

int register_module_notifier(struct notifier_block *nb)
{
	WARN_ON(watcher);
	watcher = nb;
	return 0;
}

int unregister_module_notifier(struct notifier_block *nb)
{
	WARN_ON(watcher != nb);
	watcher = NULL;
	return 0;
}

void shim_module_event(unsigned long state)
{
	might_sleep();
	if (watcher)
		watcher->notifier_call(watcher, state, NULL);
}
