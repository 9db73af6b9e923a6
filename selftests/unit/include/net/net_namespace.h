/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a namespace is a name. */
#ifndef _SHIM_NET_NET_NAMESPACE_H
#define _SHIM_NET_NET_NAMESPACE_H

#include <linux/kernel.h>
#include <linux/slab.h>

struct net;

#endif /* _SHIM_NET_NET_NAMESPACE_H */
