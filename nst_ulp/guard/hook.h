/* SPDX-License-Identifier: GPL-2.0 */
/* The guard's hooks in a namespace; without them it costs nothing. */
#ifndef _NST_GUARD_HOOK_H
#define _NST_GUARD_HOOK_H

#include <linux/errno.h>

struct net;

#ifdef CONFIG_NETFILTER
int nst_guard_hook_register(struct net *net);
void nst_guard_hook_unregister(struct net *net);
#else
/* No rule is taken that nobody would keep. */
static inline int nst_guard_hook_register(struct net *net)
{
	return -EOPNOTSUPP;
}

static inline void nst_guard_hook_unregister(struct net *net) {}
#endif

#endif /* _NST_GUARD_HOOK_H */
