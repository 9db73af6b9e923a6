/* SPDX-License-Identifier: GPL-2.0 */
/* Going into another network namespace. */
#ifndef NSTKEYCTL_NETNS_H
#define NSTKEYCTL_NETNS_H

int netns_enter(const char *name);

#endif /* NSTKEYCTL_NETNS_H */
