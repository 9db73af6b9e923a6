// SPDX-License-Identifier: GPL-2.0
/* Of netns.c, which needs the kernel's namespaces: who sets keys. */
#include "core/netns.h"
#include "core/owner.h"

#define USER	1000

struct nst_owner *nst_net_owner(struct nst_net *nn)
{
	return nst_owner_get(nn->memories, USER);
}
