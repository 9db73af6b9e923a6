/* SPDX-License-Identifier: GPL-2.0 */
/* The guard's hooks in a namespace; without them it costs nothing. */
#ifndef _NST_GUARD_HOOK_H
#define _NST_GUARD_HOOK_H

struct net;

int nst_guard_hook_register(struct net *net);
void nst_guard_hook_unregister(struct net *net);

#endif /* _NST_GUARD_HOOK_H */
