// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot of a socket's state. It is taken without the socket's locks, so
 * that asking never waits for a sender or reader: each number is right by
 * itself, two of them may be of different moments.
 */
#include <linux/nst.h>
#include <net/inet_connection_sock.h>
#include <net/netlink.h>
#include "tcp/diag.h"
#include "tcp/sock.h"

/*
 * The nest under INET_DIAG_ULP_INFO, far above those of the kernel's own ULPs.
 * ss(8) shows the ULP's name and passes over nests that it does not know.
 */
#define INET_ULP_INFO_NST	0x40

static void fill_dir(struct nst_info_dir *dir, const struct nst_epoch *ep)
{
	dir->cipher_id = READ_ONCE(ep->id.suite);
	dir->kid = READ_ONCE(ep->id.kid);
	dir->epoch = READ_ONCE(ep->id.epoch);
	dir->bound = READ_ONCE(ep->id.bound);
	dir->epoch_records = READ_ONCE(ep->records);
}

/**
 * nst_diag_fill() - what NST_INFO tells
 * @nst: the socket's state
 * @info: zeroed; filled
 *
 * Context: any, while the caller keeps @nst.
 */
void nst_diag_fill(const struct nst_tcp *nst, struct nst_info *info)
{
	const struct nst_tx_stream *tx = &nst->st.tx;
	const struct nst_rx_stream *rx = &nst->st.rx;

	info->flags = READ_ONCE(nst->st.flags) & NST_F_STRICT;
	if (READ_ONCE(nst->st.role) == NST_WIRE_INITIATOR)
		info->flags |= NST_F_INITIATOR;
	if (READ_ONCE(nst->st.role) == NST_WIRE_RESPONDER)
		info->flags |= NST_F_RESPONDER;
	info->error = -READ_ONCE(nst->rx_err);
	info->cause = READ_ONCE(nst->rx_drop);
	info->record_max = READ_ONCE(nst->record_max);
	fill_dir(&info->tx, &tx->ep);
	info->tx.keyed = !!READ_ONCE(tx->conf);
	info->tx.started = READ_ONCE(tx->started);
	info->tx.closed = READ_ONCE(tx->closed);
	info->tx.epochs = READ_ONCE(tx->epochs);
	info->tx.records = READ_ONCE(tx->records);
	info->tx.bytes = READ_ONCE(tx->bytes);
	fill_dir(&info->rx, &rx->ep);
	info->rx.keyed = !!READ_ONCE(rx->conf);
	info->rx.started = READ_ONCE(rx->started);
	info->rx.closed = READ_ONCE(rx->closed);
	info->rx.epochs = READ_ONCE(rx->epochs);
	info->rx.records = READ_ONCE(rx->records);
	info->rx.bytes = READ_ONCE(rx->bytes);
}

/*
 * nst_diag_info() - tcp_ulp_ops.get_info
 *
 * One attribute, number 1, in the nest: struct nst_info. Counts of other people's
 * traffic are for CAP_NET_ADMIN only; older kernels see to that themselves.
 *
 * Context: under RCU.
 * Return: 0 or -EMSGSIZE.
 */
NST_ULP_INFO(nst_diag_info)
{
	struct nst_info info = {};
	const struct nst_tcp *nst;
	struct nlattr *nest;

	if (!NST_ULP_INFO_ALLOWED)
		return 0;
	nest = nla_nest_start(skb, INET_ULP_INFO_NST);
	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	nst = nst_tcp(sk);
	if (nst)
		nst_diag_fill(nst, &info);
	rcu_read_unlock();
	if (nla_put(skb, 1, sizeof(info), &info)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * nst_diag_info_size() - tcp_ulp_ops.get_info_size
 *
 * Return: bytes that nst_diag_info() needs.
 */
NST_ULP_INFO_SIZE(nst_diag_info_size)
{
	if (!NST_ULP_INFO_ALLOWED)
		return 0;
	return nla_total_size(0) + nla_total_size(sizeof(struct nst_info));
}
