// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "nst": how an administrator sees and changes the
 * box of a namespace, and its guard (guard/nl.c). Changes need CAP_NET_ADMIN in
 * the namespace's user namespace, looking needs nothing; a secret never goes
 * out.
 */
#include <linux/crypto.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "admin/netlink.h"
#include "admin/owner_nl.h"
#include "admin/socket_nl.h"
#include "core/cipher.h"
#include "core/fingerprint.h"
#include "core/keyring.h"
#include "core/memory.h"
#include "core/netns.h"
#include "event.h"
#include "guard/nl.h"
#include "limits.h"

static_assert((int)NST_STATE_ACCEPT == (int)NST_KEY_ACCEPT);
static_assert((int)NST_STATE_ACTIVE == (int)NST_KEY_ACTIVE);
static_assert((int)NST_STATE_RETIRED == (int)NST_KEY_RETIRED);
static_assert(NST_BOX_MAX == NST_BOX_KEYS_MAX);

static struct genl_family family;

static const struct nla_policy kid_policy[NST_A_KEY_KID + 1] = {
	[NST_A_KEY_KID] = NLA_POLICY_MIN(NLA_U16, 1),
};

static const struct nla_policy key_policy[NST_A_KEY_SECRET + 1] = {
	[NST_A_KEY_KID] = NLA_POLICY_MIN(NLA_U16, 1),
	[NST_A_KEY_STATE] = NLA_POLICY_MAX(NLA_U32, NST_STATE_RETIRED),
	[NST_A_KEY_SECRET] = NLA_POLICY_EXACT_LEN(NST_KEY_SIZE),
};

static const struct nla_policy box_policy[NST_A_BOX_MAX + 1] = {
	[NST_A_BOX_KEY] = NLA_POLICY_NESTED(key_policy),
};

/* For requests that take nothing: the kernel would not look at attributes. */
static const struct nla_policy no_policy[] = {
	[1] = { .type = NLA_REJECT },
};

/* Turns what keybox.c says into words, and passes it on. */
static int explain(struct netlink_ext_ack *extack, int err)
{
	switch (err) {
	case -E2BIG:
	case -ENOSPC:
		NL_SET_ERR_MSG(extack, "A box has room for 1024 keys");
		break;
	case -EEXIST:
		NL_SET_ERR_MSG(extack, "Two keys have the same kid");
		break;
	case -ENOTUNIQ:
		NL_SET_ERR_MSG(extack, "More than one key is active");
		break;
	case -ENOKEY:
		NL_SET_ERR_MSG(extack, "No key is active");
		break;
	case -EKEYREVOKED:
		NL_SET_ERR_MSG(extack, "The key is retired");
		break;
	case -EBUSY:
		NL_SET_ERR_MSG(extack,
			       "The key is active: activate another one first");
		break;
	}
	return err;
}

/*
 * Wipes a request that held secrets: its memory goes back to the allocator as
 * it is, and an error report would send a copy of it.
 */
static void wipe(struct genl_info *info)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)info->nlhdr;

	memzero_explicit(nlmsg_data(nlh) + GENL_HDRLEN,
			 nlmsg_len(nlh) - GENL_HDRLEN);
}

/* A key from its attributes, already checked against key_policy. */
static int parse_key(struct nst_box_entry *entry, struct nlattr **tb,
		     struct netlink_ext_ack *extack)
{
	if (!tb[NST_A_KEY_KID] || !tb[NST_A_KEY_STATE] ||
	    !tb[NST_A_KEY_SECRET]) {
		NL_SET_ERR_MSG(extack, "A key needs kid, state and secret");
		return -EINVAL;
	}
	entry->kid = nla_get_u16(tb[NST_A_KEY_KID]);
	entry->state = nla_get_u32(tb[NST_A_KEY_STATE]);
	nla_memcpy(entry->secret, tb[NST_A_KEY_SECRET], NST_KEY_SIZE);
	return 0;
}

static int add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct nst_box_entry entry;
	int err = parse_key(&entry, info->attrs, info->extack);

	if (!err) {
		err = nst_keyring_add(nst_net(net)->ring, &entry);
		if (err == -EEXIST)
			NL_SET_ERR_MSG(info->extack,
				       "The box has a key with this kid");
		else if (err == -ENOKEY)
			NL_SET_ERR_MSG(info->extack,
				       "The first key of a box must be active");
		else
			explain(info->extack, err);
	}
	if (!err)
		nst_event_box(net, NST_EVENT_KEY_ADDED, entry.kid);
	if (!err && entry.state == NST_KEY_ACTIVE)
		nst_event_box(net, NST_EVENT_KEY_ACTIVATED, entry.kid);
	memzero_explicit(&entry, sizeof(entry));
	wipe(info);
	return err;
}

/* Reads at most @nr keys; the caller has counted them. */
static int parse_box(struct nst_box_entry *entry, unsigned int nr,
		     struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(key_policy)], *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != NST_A_BOX_KEY || !nr--)
			continue;
		err = nla_parse_nested(tb, NST_A_KEY_SECRET, attr, key_policy,
				       info->extack);
		if (!err)
			err = parse_key(entry++, tb, info->extack);
		if (err)
			return err;
	}
	return 0;
}

static int load_box(struct genl_info *info, unsigned int nr)
{
	struct net *net = genl_info_net(info);
	size_t size = array_size(nr, sizeof(struct nst_box_entry));
	struct nst_box_entry *entry = kvzalloc(size, GFP_KERNEL);
	int err;

	if (!entry)
		return -ENOMEM;
	err = parse_box(entry, nr, info);
	if (!err)
		err = explain(info->extack,
			      nst_keyring_replace(nst_net(net)->ring, entry,
						  nr));
	if (!err)
		nst_event_box(net, NST_EVENT_BOX_LOADED, 0);
	memzero_explicit(entry, size);
	kvfree(entry);
	return err;
}

static int load_doit(struct sk_buff *skb, struct genl_info *info)
{
	unsigned int nr = 0;
	struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		nr += nla_type(attr) == NST_A_BOX_KEY;
	if (!nr) {
		NL_SET_ERR_MSG(info->extack,
			       "The box has no keys: flush is for that");
		err = -EINVAL;
	} else if (nr > NST_BOX_KEYS_MAX) {
		err = explain(info->extack, -E2BIG);
	} else {
		err = load_box(info, nr);
	}
	wipe(info);
	return err;
}

/* Applies @change to the key that a request names, and tells of it. */
static int change_key(struct genl_info *info, enum nst_event event,
		      int (*change)(struct nst_keyring *ring, u16 kid))
{
	struct net *net = genl_info_net(info);
	u16 kid;
	int err;

	if (!info->attrs[NST_A_KEY_KID]) {
		NL_SET_ERR_MSG(info->extack, "The kid is missing");
		return -EINVAL;
	}
	kid = nla_get_u16(info->attrs[NST_A_KEY_KID]);
	err = change(nst_net(net)->ring, kid);
	if (err == -ENOKEY)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NST_A_KEY_KID],
				    "The box has no key with this kid");
	else if (err)
		explain(info->extack, err);
	else
		nst_event_box(net, event, kid);
	return err;
}

static int activate_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_key(info, NST_EVENT_KEY_ACTIVATED, nst_keyring_activate);
}

static int retire_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_key(info, NST_EVENT_KEY_RETIRED, nst_keyring_retire);
}

static int del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_key(info, NST_EVENT_KEY_DELETED, nst_keyring_del);
}

static int flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	int err = nst_keyring_flush(nst_net(net)->ring);

	if (!err)
		nst_event_box(net, NST_EVENT_BOX_FLUSHED, 0);
	return err;
}

static int put_key(struct sk_buff *skb, const struct nst_box_slot *slot)
{
	const struct nst_boxkey *key = slot->key;
	u8 fp[NST_FINGERPRINT_LEN];
	int err = nst_fingerprint(key->secret, fp);
	u64 starts = nst_claim_floor(key->claim);
	u64 sessions = nst_claim_session_floor(key->claim);

	if (err)
		return err;
	if (nla_put_u16(skb, NST_A_KEY_KID, key->kid) ||
	    nla_put_u32(skb, NST_A_KEY_STATE, slot->state) ||
	    nla_put(skb, NST_A_KEY_FINGERPRINT, sizeof(fp), fp) ||
	    nla_put_u32(skb, NST_A_KEY_TX_STREAMS,
			atomic_read(&key->tx_streams)) ||
	    nla_put_u32(skb, NST_A_KEY_RX_STREAMS,
			atomic_read(&key->rx_streams)) ||
	    (starts && nla_put_u64_64bit(skb, NST_A_KEY_FLOOR, starts,
					 NST_A_KEY_PAD)) ||
	    (sessions && nla_put_u64_64bit(skb, NST_A_KEY_SESSION_FLOOR,
					   sessions, NST_A_KEY_PAD)))
		return -EMSGSIZE;
	return 0;
}

static int reply_key(struct nst_keyring *ring, struct genl_info *info,
		     struct sk_buff *reply, u16 kid)
{
	const struct nst_box *box;
	int err = -ENOKEY;
	unsigned int i;
	void *hdr;

	hdr = genlmsg_put_reply(reply, info, &family, 0, NST_CMD_KEY_GET);
	if (!hdr)
		return -EMSGSIZE;
	mutex_lock(&ring->lock);
	box = nst_keyring_box(ring);
	for (i = 0; i < box->nr; i++)
		if (box->slot[i].key->kid == kid)
			err = put_key(reply, &box->slot[i]);
	mutex_unlock(&ring->lock);
	if (!err)
		genlmsg_end(reply, hdr);
	return err;
}

static int get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *kid = info->attrs[NST_A_KEY_KID];
	struct sk_buff *reply;
	int err;

	if (!kid) {
		NL_SET_ERR_MSG(info->extack, "The kid is missing");
		return -EINVAL;
	}
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	err = reply_key(nst_net(genl_info_net(info))->ring, info, reply,
			nla_get_u16(kid));
	if (!err)
		return genlmsg_reply(reply, info);
	if (err == -ENOKEY)
		NL_SET_ERR_MSG_ATTR(info->extack, kid,
				    "The box has no key with this kid");
	nlmsg_free(reply);
	return err;
}

/* Where a dump goes on: the first kid, or suite, not told yet. */
struct dump_state {
	unsigned int next;
};

static int dump_key(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct nst_box_slot *slot)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
				NST_CMD_KEY_GET);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	err = put_key(skb, slot);
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

/*
 * A part of the box. It may change before the next part: the listener sees that
 * by NLM_F_DUMP_INTR and asks again.
 */
static int get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nst_keyring *ring = nst_net(sock_net(skb->sk))->ring;
	struct dump_state *state = (struct dump_state *)cb->ctx;
	const struct nst_box *box;
	unsigned int i;
	int err = 0;

	mutex_lock(&ring->lock);
	box = nst_keyring_box(ring);
	/* 0 would mean that the dump does not care. */
	cb->seq = (unsigned int)ring->gen + 1 ?: 1;
	for (i = 0; i < box->nr && !err; i++) {
		if (box->slot[i].key->kid < state->next)
			continue;
		err = dump_key(skb, cb, &box->slot[i]);
		if (!err)
			state->next = box->slot[i].key->kid + 1;
	}
	mutex_unlock(&ring->lock);
	return err && err != -EMSGSIZE ? err : skb->len;
}

static int put_suite(struct sk_buff *skb, u8 id)
{
	char aead[CRYPTO_MAX_ALG_NAME], hmac[CRYPTO_MAX_ALG_NAME];
	int err = nst_suite_driver(id, aead, hmac, sizeof(aead));

	if (nla_put_u32(skb, NST_A_CAPS_SUITE, id) ||
	    nla_put_string(skb, NST_A_CAPS_NAME, nst_suite(id)->name))
		return -EMSGSIZE;
	if (err)
		return nla_put_u32(skb, NST_A_CAPS_ERROR, -err);
	if (nla_put_string(skb, NST_A_CAPS_AEAD, aead) ||
	    nla_put_string(skb, NST_A_CAPS_HMAC, hmac))
		return -EMSGSIZE;
	return 0;
}

static int caps_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_state *state = (struct dump_state *)cb->ctx;
	void *hdr;

	for (; state->next < NST_WIRE_SUITE_MAX; state->next++) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				  cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
				  NST_CMD_CAPS_GET);
		if (!hdr)
			break;
		if (put_suite(skb, state->next + 1)) {
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
	{ .cmd = NST_CMD_KEY_GET, TAKES(kid_policy),
	  .doit = get_doit, .dumpit = get_dumpit },
	{ .cmd = NST_CMD_KEY_ADD, TAKES(key_policy),
	  .doit = add_doit, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_KEY_ACTIVATE, TAKES(kid_policy),
	  .doit = activate_doit, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_KEY_RETIRE, TAKES(kid_policy),
	  .doit = retire_doit, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_KEY_DEL, TAKES(kid_policy),
	  .doit = del_doit, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_BOX_LOAD, TAKES(box_policy),
	  .doit = load_doit, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = NST_CMD_BOX_FLUSH, TAKES(no_policy),
	  .doit = flush_doit, .flags = GENL_UNS_ADMIN_PERM },
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
