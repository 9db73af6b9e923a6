/* SPDX-License-Identifier: GPL-2.0 */
/* Who pays for the memory of a TCP socket, and how it is come by. */
#ifndef _NST_TCP_MEM_H
#define _NST_TCP_MEM_H

#include <linux/gfp.h>
#include "tcp/sock.h"

/**
 * struct nst_tcp_scope - how a task allocated before nst_tcp_scope_begin()
 * @narrow: it is different now
 * @noio: what memalloc_noio_save() returned
 * @nofs: what memalloc_nofs_save() returned
 * @reserves: what memalloc_noreclaim_save() returned
 */
struct nst_tcp_scope {
	gfp_t narrow;
	unsigned int noio;
	unsigned int nofs;
	unsigned int reserves;
};

struct nst_tcp_scope nst_tcp_scope_narrow(gfp_t how, bool worker);
void nst_tcp_scope_widen(const struct nst_tcp_scope *scope);

/**
 * nst_tcp_scope_begin() - allocate as the owner of a socket has asked for
 * @sk: the socket
 * @worker: for it, not in one of its calls
 *
 * A socket that storage lies on must not wait for storage, neither for its own
 * memory nor in the crypto API, which knows no sk_allocation.
 *
 * Context: process.
 * Return: for nst_tcp_scope_end(), by the same task.
 */
static inline struct nst_tcp_scope nst_tcp_scope_begin(const struct sock *sk,
						       bool worker)
{
	gfp_t how = READ_ONCE(sk->sk_allocation);

	if (likely((how & (__GFP_IO | __GFP_FS | __GFP_MEMALLOC)) ==
		   (__GFP_IO | __GFP_FS)))
		return (struct nst_tcp_scope){};
	return nst_tcp_scope_narrow(how, worker);
}

/**
 * nst_tcp_scope_end() - undo nst_tcp_scope_begin()
 * @scope: what that returned
 */
static inline void nst_tcp_scope_end(const struct nst_tcp_scope *scope)
{
	if (unlikely(scope->narrow))
		nst_tcp_scope_widen(scope);
}

bool nst_tcp_mem_reserve(struct nst_tcp *nst);
bool nst_tcp_mem_settled(const struct nst_tcp *nst);
void nst_tcp_mem_settle(struct nst_tcp *nst);
void nst_tcp_mem_lend(struct nst_tcp *nst);
void nst_tcp_mem_drop(struct nst_tcp *nst);
void nst_tcp_mem_rx_move(struct nst_tcp *nst, int n);
void nst_tcp_mem_rx_cover(struct nst_tcp *nst);
bool nst_tcp_mem_rx_settled(const struct nst_tcp *nst);
void nst_tcp_mem_rx_settle(struct nst_tcp *nst);

#endif /* _NST_TCP_MEM_H */
