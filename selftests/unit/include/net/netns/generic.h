/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: what the only module there is keeps for a namespace. */
#ifndef _SHIM_NET_NETNS_GENERIC_H
#define _SHIM_NET_NETNS_GENERIC_H

#include <net/net_namespace.h>

void *net_generic(const struct net *net, unsigned int id);

#endif /* _SHIM_NET_NETNS_GENERIC_H */
