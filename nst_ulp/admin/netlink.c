// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "nst": how an administrator sees and changes the
 * box of a namespace (box_nl.c), and its guard (guard/nl.c). Changes need
 * CAP_NET_ADMIN in the namespace's user namespace, looking needs nothing.
 */
#include <linux/crypto.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "admin/box_nl.h"
#include "admin/netlink.h"
#include "admin/owner_nl.h"
#include "admin/socket_nl.h"
#include "core/cipher.h"
#include "core/fingerprint.h"
#include "core/keyring.h"
#include "core/lookup.h"
#include "core/netns.h"
#include "core/suite.h"
#include "event.h"
#include "guard/nl.h"

static struct genl_family family;

/* For requests that take nothing: the kernel would not look at attributes. */
static const struct nla_policy no_policy[] = {
	[1] = { .type = NLA_REJECT },
};

/* Where a dump goes on: the first suite not told yet. */
struct dump_state {
	unsigned int next;
};

/* @anew: see nst_suite_driver() */
static int put_suite(struct sk_buff *skb, u8 id, bool anew)
{
	char aead[CRYPTO_MAX_ALG_NAME], hmac[CRYPTO_MAX_ALG_NAME];
	int err = nst_suite_driver(id, aead, hmac, sizeof(aead), anew);

	if (nla_put_u32(skb, NST_A_CAPS_SUITE, id) ||
	    nla_put_string(skb, NST_A_CAPS_NAME, nst_suite(id)->name))
		return -EMSGSIZE;
	if (err)
		return nla_put_u32(skb, NST_A_CAPS_ERROR, -err);
	if (nla_put_string(skb, NST_A_CAPS_AEAD, aead) ||
	    nla_put_string(skb, NST_A_CAPS_HMAC, hmac))
		return -EMSGSIZE;
	if (nst_suite_datagrams(id, anew) == -ENOPKG)
		return nla_put_flag(skb, NST_A_CAPS_STREAMS_ONLY);
	return 0;
}

static int caps_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_state *state = (struct dump_state *)cb->ctx;
	/* Everybody may ask, but not have modprobe run as often as he likes. */
	bool anew = netlink_capable(cb->skb, CAP_NET_ADMIN);
	void *hdr;

	for (; state->next < NST_WIRE_SUITE_MAX; state->next++) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				  cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
				  NST_CMD_CAPS_GET);
		if (!hdr)
			break;
		if (put_suite(skb, state->next + 1, anew)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

static int put_counters(struct sk_buff *skb, struct nst_stats __percpu *stats)
{
	struct nlattr *nest;
	unsigned int i;

	/* 0 is NST_OK, which is no cause. */
	for (i = 1; i < NST_MIB_MAX; i++) {
		nest = nla_nest_start(skb, NST_A_STATS_COUNTER);
		if (!nest ||
		    nla_put_string(skb, NST_A_COUNTER_NAME,
				   nst_stats_name(i)) ||
		    nla_put_u64_64bit(skb, NST_A_COUNTER_VALUE,
				      nst_stats_sum(stats, i),
				      NST_A_COUNTER_PAD) ||
		    (nst_stats_is_gauge(i) &&
		     nla_put_flag(skb, NST_A_COUNTER_GAUGE)))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int put_info(struct sk_buff *skb, struct nst_keyring *ring)
{
	const struct nst_box *box;
	unsigned int nr;
	u16 active;
	u64 gen;

	mutex_lock(&ring->lock);
	box = nst_keyring_box(ring);
	nr = box->nr;
	active = box->active ? box->active->kid : 0;
	gen = ring->gen;
	mutex_unlock(&ring->lock);
	if (nla_put_u32(skb, NST_A_INFO_PROTOCOL, NST_WIRE_VERSION) ||
	    nla_put_string(skb, NST_A_INFO_RELEASE, THIS_MODULE->version) ||
	    nla_put_u32(skb, NST_A_INFO_KEYS, nr) ||
	    nla_put_u16(skb, NST_A_INFO_ACTIVE, active) ||
	    nla_put_u64_64bit(skb, NST_A_INFO_GENERATION, gen,
			      NST_A_INFO_PAD))
		return -EMSGSIZE;
	return 0;
}

/* The answer to a request that names nothing: counters, or the info. */
static int view_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nst_net *nn = nst_net(genl_info_net(info));
	u8 cmd = info->genlhdr->cmd;
	struct sk_buff *reply = genlmsg_new(NST_MIB_MAX * 64, GFP_KERNEL);
	void *hdr;
	int err = -EMSGSIZE;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &family, 0, cmd);
	if (hdr)
		err = cmd == NST_CMD_STATS_GET ?
			put_counters(reply, nn->stats) :
			put_info(reply, nn->ring);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

#define TAKES(table)	.policy = (table), .maxattr = ARRAY_SIZE(table) - 1

static const struct genl_ops ops[] = {
	{ .cmd = NST_CMD_KEY_GET, TAKES(nst_box_nl_kid),
	  .doit = nst_box_nl_get, .dumpit = nst_box_nl_dump },
	/* What takes secrets looks at its attributes itself, see there. */
	{ .cmd = NST_CMD_KEY_ADD,
	  .doit = nst_box_nl_add, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_KEY_ACTIVATE, TAKES(nst_box_nl_kid),
	  .doit = nst_box_nl_activate, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_KEY_RETIRE, TAKES(nst_box_nl_kid),
	  .doit = nst_box_nl_retire, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_KEY_DEL, TAKES(nst_box_nl_kid),
	  .doit = nst_box_nl_del, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_BOX_LOAD,
	  .doit = nst_box_nl_load, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_BOX_FLUSH, TAKES(no_policy),
	  .doit = nst_box_nl_flush, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_CAPS_GET, TAKES(no_policy), .dumpit = caps_dumpit },
	{ .cmd = NST_CMD_STATS_GET, TAKES(no_policy), .doit = view_doit },
	{ .cmd = NST_CMD_INFO_GET, TAKES(no_policy), .doit = view_doit },
	{ .cmd = NST_CMD_GUARD_GET, TAKES(nst_guard_nl_port),
	  .doit = nst_guard_nl_get, .dumpit = nst_guard_nl_dump },
	{ .cmd = NST_CMD_GUARD_ADD, TAKES(nst_guard_nl_rule),
	  .doit = nst_guard_nl_add, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_GUARD_DEL, TAKES(nst_guard_nl_port),
	  .doit = nst_guard_nl_del, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_GUARD_LOAD, TAKES(nst_guard_nl_rules),
	  .doit = nst_guard_nl_load, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_GUARD_FLUSH, TAKES(no_policy),
	  .doit = nst_guard_nl_flush, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_SOCKET_GET, TAKES(no_policy),
	  .dumpit = nst_socket_nl_dump },
	{ .cmd = NST_CMD_OWNER_GET, TAKES(no_policy),
	  .dumpit = nst_owner_nl_dump },
};

static const struct genl_multicast_group groups[] = {
	{ .name = NST_GENL_MCGRP_EVENTS },
};

static struct genl_family family = {
	.name = NST_GENL_NAME,
	.version = NST_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,	/* the keyring's lock serialises changes */
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = __NST_CMD_MAX,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/**
 * nst_netlink_init() - register the family; after nst_guard_init()
 *
 * Context: process, may load modules.
 * Return: 0 or a negative errno.
 */
int nst_netlink_init(void)
{
	int err = nst_fingerprint_init();

	if (err)
		return err;
	nst_box_nl_init(&family);
	nst_guard_nl_init(&family);
	nst_socket_nl_init(&family);
	nst_owner_nl_init(&family);
	err = genl_register_family(&family);
	if (err)
		nst_fingerprint_exit();
	else
		nst_event_listen(&family);
	return err;
}

/**
 * nst_netlink_exit() - unregister the family; of those who tell events only the
 * guard may be left
 *
 * Context: process.
 */
void nst_netlink_exit(void)
{
	nst_event_listen(NULL);
	genl_unregister_family(&family);
	nst_fingerprint_exit();
}

MODULE_ALIAS_GENL_FAMILY("nst");
