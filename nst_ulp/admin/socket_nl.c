// SPDX-License-Identifier: GPL-2.0
/*
 * Which UDP sockets have NST. Those of TCP are listed by sock_diag, which shows
 * a ULP; of UDP it can show nothing.
 *
 * As there, everybody may know that a socket is there, where and whose; its keys'
 * names, and counts of its traffic, are for CAP_NET_ADMIN and its owner. Nothing
 * secret is told.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/nst_netlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include "admin/socket_nl.h"
#include "core/conf.h"
#include "udp/sock.h"
#include "udp/state.h"

static const struct genl_family *socket_family;

/**
 * nst_socket_nl_init() - before the family is registered
 * @family: answers are its
 */
void nst_socket_nl_init(const struct genl_family *family)
{
	socket_family = family;
}

/**
 * struct asker - who asks
 * @admin: he may know everything
 * @uid: the owner of the sockets of which he may know everything, too
 * @user_ns: in which he is told who owns a socket
 */
struct asker {
	bool admin;
	kuid_t uid;
	struct user_namespace *user_ns;
};

static int put_in6(struct sk_buff *skb, const struct sock *sk, bool connected)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (nla_put_in6_addr(skb, NST_A_SOCKET_LOCAL, &sk->sk_v6_rcv_saddr) ||
	    (connected && nla_put_in6_addr(skb, NST_A_SOCKET_REMOTE,
					   &sk->sk_v6_daddr)))
		return -EMSGSIZE;
#endif
	return 0;
}

static int put_in4(struct sk_buff *skb, const struct sock *sk, bool connected)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (nla_put_in_addr(skb, NST_A_SOCKET_LOCAL,
			    READ_ONCE(inet->inet_rcv_saddr)) ||
	    (connected && nla_put_in_addr(skb, NST_A_SOCKET_REMOTE,
					  READ_ONCE(inet->inet_daddr))))
		return -EMSGSIZE;
	return 0;
}

/*
 * Where it is. The socket is not locked, as it is not for /proc/net/udp: what it
 * is just bound or connected to may be told half.
 */
static int put_address(struct sk_buff *skb, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	__be16 remote = READ_ONCE(inet->inet_dport);
	int ifindex = READ_ONCE(sk->sk_bound_dev_if);
	/* IPV6_ADDRFORM changes it. */
	int family = READ_ONCE(sk->sk_family);

	if (nla_put_u32(skb, NST_A_SOCKET_FAMILY, family) ||
	    nla_put_u16(skb, NST_A_SOCKET_LOCAL_PORT,
			READ_ONCE(inet->inet_num)) ||
	    (ifindex && nla_put_u32(skb, NST_A_SOCKET_IFINDEX, ifindex)) ||
	    (remote && nla_put_u16(skb, NST_A_SOCKET_REMOTE_PORT,
				   ntohs(remote))))
		return -EMSGSIZE;
	return family == AF_INET6 ? put_in6(skb, sk, remote) :
				    put_in4(skb, sk, remote);
}

/* What one direction is keyed with, or absent. */
struct direction {
	bool keyed;
	u8 suite;
	u16 kid;
	u64 records;
	u64 bytes;
};

/* As the present epoch is, or as the next datagram begins one. */
static void look_tx(struct nst_udp *nst, struct direction *dir)
{
	spin_lock(&nst->tx_lock);
	dir->keyed = nst->tx_conf;
	if (nst->epoch && !nst->renew) {
		dir->suite = nst->epoch->ep.id.suite;
		dir->kid = nst->epoch->ep.id.kid;
	} else if (nst->tx_conf) {
		dir->suite = nst->tx_conf->suite;
		dir->kid = nst->tx_kid;
	}
	dir->records = nst->tx_records;
	dir->bytes = nst->tx_bytes;
	spin_unlock(&nst->tx_lock);
}

/* As the last datagram taken was, or as the program wants them. */
static void look_rx(const struct nst_udp *nst, struct direction *dir)
{
	struct nst_epoch_id id;
	const struct nst_udp_rx *rx;
	u64 last = READ_ONCE(nst->rx_last);

	memcpy(&id, &last, sizeof(id));
	rcu_read_lock();
	rx = rcu_dereference(nst->rx);
	if (rx) {
		dir->keyed = true;
		dir->suite = last ? id.suite : rx->conf->suite;
		dir->kid = last ? id.kid : rx->conf->kid;
	}
	rcu_read_unlock();
	dir->records = atomic64_read(&nst->rx_records);
	dir->bytes = atomic64_read(&nst->rx_bytes);
}

static int put_direction(struct sk_buff *skb, int type,
			 const struct direction *dir)
{
	struct nlattr *nest;

	if (!dir->keyed)
		return 0;
	nest = nla_nest_start(skb, type);
	if (!nest ||
	    nla_put_u32(skb, NST_A_DIR_SUITE, dir->suite) ||
	    nla_put_u16(skb, NST_A_DIR_KID, dir->kid) ||
	    nla_put_u64_64bit(skb, NST_A_DIR_RECORDS, dir->records,
			      NST_A_DIR_PAD) ||
	    nla_put_u64_64bit(skb, NST_A_DIR_BYTES, dir->bytes,
			      NST_A_DIR_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_directions(struct sk_buff *skb, struct nst_udp *nst)
{
	struct direction tx = {}, rx = {};

	look_tx(nst, &tx);
	look_rx(nst, &rx);
	return put_direction(skb, NST_A_SOCKET_TX, &tx) ?:
	       put_direction(skb, NST_A_SOCKET_RX, &rx);
}

/* The causes for which datagrams for it were refused, with their counts. */
static int put_drops(struct sk_buff *skb, const struct nst_udp *nst)
{
	struct nlattr *nest;
	unsigned int i;
	u64 n;

	for (i = 1; i < NST_DROP_MAX; i++) {
		n = atomic64_read(&nst->drops[i]);
		if (!n)
			continue;
		nest = nla_nest_start(skb, NST_A_SOCKET_DROP);
		if (!nest ||
		    nla_put_string(skb, NST_A_COUNTER_NAME, nst_stats_name(i)) ||
		    nla_put_u64_64bit(skb, NST_A_COUNTER_VALUE, n,
				      NST_A_COUNTER_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/* As sock_diag tells it, in two halves. */
static int put_cookie(struct sk_buff *skb, struct sock *sk)
{
	u32 half[2];

	sock_diag_save_cookie(sk, half);
	return nla_put_u64_64bit(skb, NST_A_SOCKET_COOKIE,
				 (u64)half[1] << 32 | half[0],
				 NST_A_SOCKET_PAD);
}

static int put_socket(struct sk_buff *skb, const struct asker *asker,
		      struct nst_udp *nst)
{
	struct sock *sk = nst->sk;
	kuid_t uid = READ_ONCE(sk->sk_uid);

	if (nla_put_u32(skb, NST_A_SOCKET_PROTOCOL, sk->sk_protocol) ||
	    put_address(skb, sk) ||
	    nla_put_u32(skb, NST_A_SOCKET_UID,
			from_kuid_munged(asker->user_ns, uid)) ||
	    put_cookie(skb, sk))
		return -EMSGSIZE;
	if (!asker->admin && !uid_eq(uid, asker->uid))
		return 0;
	if (nla_put_u8(skb, NST_A_SOCKET_BROKEN, !!nst_udp_check(nst)))
		return -EMSGSIZE;
	return put_directions(skb, nst) ?: put_drops(skb, nst);
}

static int dump_socket(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct asker *asker, struct nst_udp *nst)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, socket_family, NLM_F_MULTI,
				NST_CMD_SOCKET_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (put_socket(skb, asker, nst)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * nst_socket_nl_dump() - NST_CMD_SOCKET_GET
 * @skb: receives a part of the list
 * @cb: of the dump
 *
 * A socket that is there all the time is told once. One that comes or goes
 * meanwhile may be missing.
 *
 * Context: process.
 * Return: bytes in @skb; 0 at the end; -EMSGSIZE.
 */
int nst_socket_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nst_net *nn = nst_net(sock_net(skb->sk));
	/* Sockets belong to who their maker was in effect. */
	const struct cred *cred =
		NETLINK_CB(cb->skb).sk->sk_socket->file->f_cred;
	const struct asker asker = {
		.admin = netlink_net_capable(cb->skb, CAP_NET_ADMIN),
		.uid = cred->euid,
		.user_ns = cred->user_ns,
	};
	unsigned long *next = (unsigned long *)cb->ctx;
	struct nst_udp *nst;
	int err = 0;

	while (!err && (nst = nst_udp_next_get(nn, next))) {
		err = dump_socket(skb, cb, &asker, nst);
		sock_put(nst->sk);
		if (!err)
			++*next;
		cond_resched();
	}
	return skb->len ?: err;
}
