// SPDX-License-Identifier: GPL-2.0
/* As abi/layout.c of libnst, which says what it is for. */
#include <assert.h>

#include <nst/exchange.h>

/* Members may come behind the last. */
#if __SIZEOF_POINTER__ == 8
static_assert(sizeof(struct nst_exchange_opts) == 24);
static_assert(offsetof(struct nst_exchange_opts, size) == 0);
static_assert(offsetof(struct nst_exchange_opts, groups) == 8);
static_assert(offsetof(struct nst_exchange_opts, nr_groups) == 16);
#endif

int (*const abi_exchange)(int, const struct nst_exchange_opts *, int) =
	nst_exchange;
int (*const abi_new)(struct nst_exchange **, int,
		     const struct nst_exchange_opts *) = nst_exchange_new;
int (*const abi_step)(struct nst_exchange *) = nst_exchange_step;
uint16_t (*const abi_group)(const struct nst_exchange *) = nst_exchange_group;
size_t (*const abi_peer_groups)(const struct nst_exchange *, uint16_t *,
				size_t) = nst_exchange_peer_groups;
void (*const abi_free)(struct nst_exchange *) = nst_exchange_free;
