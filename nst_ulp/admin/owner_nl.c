// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds how much of what the namespace remembers. CAP_NET_ADMIN is told of all,
 * others of themselves: what a user does is nobody else's business.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/nst_netlink.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "admin/owner_nl.h"
#include "core/netns.h"
#include "core/owner.h"

static const struct genl_family *owner_family;

/**
 * nst_owner_nl_init() - before the family is registered
 * @family: answers are its
 */
void nst_owner_nl_init(const struct genl_family *family)
{
	owner_family = family;
}

/**
 * struct asker - who asks
 * @admin: he may know everything
 * @id: the owner that he is himself
 * @user_ns: in which he is told who an owner is
 */
struct asker {
	bool admin;
	u64 id;
	struct user_namespace *user_ns;
};

static int put_owner(struct sk_buff *skb, const struct asker *asker, u64 most,
		     const struct nst_owner_look *look)
{
	kuid_t uid = KUIDT_INIT(look->id);

	if (look->id != NST_OWNER_NETNS &&
	    nla_put_u32(skb, NST_A_OWNER_UID,
			from_kuid_munged(asker->user_ns, uid)))
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, NST_A_OWNER_BYTES, look->bytes,
			      NST_A_OWNER_PAD) ||
	    nla_put_u64_64bit(skb, NST_A_OWNER_LIMIT, most,
			      NST_A_OWNER_PAD) ||
	    nla_put_u32(skb, NST_A_OWNER_SESSIONS, look->sessions) ||
	    nla_put_u32(skb, NST_A_OWNER_STARTS, look->starts) ||
	    nla_put_u32(skb, NST_A_OWNER_FLOORS, look->floors))
		return -EMSGSIZE;
	return 0;
}

static int dump_owner(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct asker *asker, u64 most,
		      const struct nst_owner_look *look)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, owner_family, NLM_F_MULTI,
				NST_CMD_OWNER_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (put_owner(skb, asker, most, look)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * nst_owner_nl_dump() - NST_CMD_OWNER_GET
 * @skb: receives a part of the list
 * @cb: of the dump
 *
 * Context: process.
 * Return: bytes in @skb; 0 at the end; -EMSGSIZE.
 */
int nst_owner_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nst_net *nn = nst_net(sock_net(skb->sk));
	/* Owners are who they are in effect, which a message does not tell. */
	const struct cred *cred =
		NETLINK_CB(cb->skb).sk->sk_socket->file->f_cred;
	const struct asker asker = {
		.admin = netlink_net_capable(cb->skb, CAP_NET_ADMIN),
		.id = nst_owner_id(nn->user_ns, cred->user_ns, cred->euid),
		.user_ns = cred->user_ns,
	};
	struct nst_bounds bounds = nst_net_bounds(nn);
	unsigned int *at = (unsigned int *)cb->ctx, next[2];
	struct nst_owner_look look;
	int err = 0;

	for (;;) {
		memcpy(next, at, sizeof(next));
		if (!nst_owner_look(nn->memories, next, &look))
			break;
		if (asker.admin || look.id == asker.id)
			err = dump_owner(skb, cb, &asker, bounds.owner_bytes,
					 &look);
		if (err)
			break;
		memcpy(at, next, sizeof(next));
		cond_resched();
	}
	return skb->len ?: err;
}
