/* SPDX-License-Identifier: GPL-2.0 */
/* TCP's receive queue. */
#ifndef _NST_TCP_QUEUE_H
#define _NST_TCP_QUEUE_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <net/sock.h>

/* Looks at @n bytes of @skb, from @off on. */
typedef int (*nst_walk_fn)(void *arg, struct sk_buff *skb, u32 off, u32 n);

u32 nst_tcp_queued(const struct sock *sk);
int nst_tcp_walk_on(struct sock *sk, struct sk_buff **at, u32 seq, u32 n,
		    nst_walk_fn fn, void *arg);
int nst_tcp_walk(struct sock *sk, u32 skip, u32 n, nst_walk_fn fn, void *arg);
int nst_tcp_copy_on(struct sock *sk, struct sk_buff **at, u32 seq, u32 n,
		    u8 *to);
int nst_tcp_copy(struct sock *sk, u32 n, u8 *to);
struct sk_buff *nst_tcp_find_buffer(struct sock *sk, u32 seq);

#endif /* _NST_TCP_QUEUE_H */
