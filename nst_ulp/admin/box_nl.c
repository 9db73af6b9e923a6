// SPDX-License-Identifier: GPL-2.0
/* The netlink commands of a namespace's key box. A secret never goes out. */
#include <linux/mm.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "admin/box_nl.h"
#include "core/fingerprint.h"
#include "core/keyring.h"
#include "core/keywait.h"
#include "core/memory.h"
#include "core/netns.h"
#include "event.h"
#include "limits.h"

static_assert((int)NST_STATE_ACCEPT == (int)NST_KEY_ACCEPT);
static_assert((int)NST_STATE_ACTIVE == (int)NST_KEY_ACTIVE);
static_assert((int)NST_STATE_RETIRED == (int)NST_KEY_RETIRED);
static_assert(NST_BOX_MAX == NST_BOX_KEYS_MAX);

/* Of netlink.c; set before anybody can ask. */
static const struct genl_family *family __read_mostly;

const struct nla_policy nst_box_nl_kid[NST_A_KEY_KID + 1] = {
	[NST_A_KEY_KID] = NLA_POLICY_MIN(NLA_U16, 1),
};

/*
 * Requests with secrets. Netlink would look at what a command says that it takes
 * before it calls anybody, and what it refuses nobody would wipe. So these commands
 * say nothing, and parse() looks, as strictly.
 */
static const struct nla_policy key_policy[NST_A_KEY_SECRET + 1] = {
	[NST_A_KEY_KID] = { .type = NLA_U16 },
	[NST_A_KEY_STATE] = { .type = NLA_U32 },
	[NST_A_KEY_SECRET] = { .type = NLA_BINARY },
};

static const struct nla_policy keys_policy[NST_A_BOX_MAX + 1] = {
	[NST_A_BOX_KEY] = NLA_POLICY_NESTED(key_policy),
};

/* A key that one may send with has come: for who waits for that. May take a while. */
static void may_send(struct net *net)
{
	nst_keywait_wake(nst_net(net)->ring);
}

static int parse(struct genl_info *info, struct nlattr **tb, int max,
		 const struct nla_policy *policy)
{
	return nlmsg_parse(info->nlhdr, GENL_HDRLEN, tb, max, policy,
			   info->extack);
}

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

/* Are all there, and in range? Their types were checked against key_policy. */
static int check_key(struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *bad = NULL;

	if (!tb[NST_A_KEY_KID] || !tb[NST_A_KEY_STATE] ||
	    !tb[NST_A_KEY_SECRET]) {
		NL_SET_ERR_MSG(extack, "A key needs kid, state and secret");
		return -EINVAL;
	}
	if (nla_len(tb[NST_A_KEY_SECRET]) != NST_KEY_SIZE)
		bad = tb[NST_A_KEY_SECRET];
	if (nla_get_u32(tb[NST_A_KEY_STATE]) > NST_STATE_RETIRED)
		bad = tb[NST_A_KEY_STATE];
	if (!nla_get_u16(tb[NST_A_KEY_KID]))
		bad = tb[NST_A_KEY_KID];
	if (!bad)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, bad,
			    "A key's kid, state or secret is out of range");
	return -ERANGE;
}

static int parse_key(struct nst_box_entry *entry, struct nlattr **tb,
		     struct netlink_ext_ack *extack)
{
	int err = check_key(tb, extack);

	if (err)
		return err;
	entry->kid = nla_get_u16(tb[NST_A_KEY_KID]);
	entry->state = nla_get_u32(tb[NST_A_KEY_STATE]);
	nla_memcpy(entry->secret, tb[NST_A_KEY_SECRET], NST_KEY_SIZE);
	return 0;
}

static int add_key(struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(key_policy)];
	struct net *net = genl_info_net(info);
	struct nst_box_entry entry;
	int err = parse(info, tb, NST_A_KEY_SECRET, key_policy);

	err = err ?: parse_key(&entry, tb, info->extack);
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
	memzero_explicit(entry.secret, sizeof(entry.secret));
	if (!err && entry.state == NST_KEY_ACTIVE)
		may_send(net);
	memzero_explicit(&entry, sizeof(entry));
	return err;
}

/**
 * nst_box_nl_add() - NST_CMD_KEY_ADD
 * @skb: the request
 * @info: the same, its attributes not looked at
 *
 * Context: process.
 * Return: 0; -EINVAL for what is missing; or as nst_keyring_add().
 */
int nst_box_nl_add(struct sk_buff *skb, struct genl_info *info)
{
	int err = add_key(info);

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
	if (!err)
		may_send(net);
	return err;
}

static int replace_box(struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(keys_policy)], *attr;
	int rem, err = parse(info, tb, NST_A_BOX_MAX, keys_policy);
	unsigned int nr = 0;

	if (err)
		return err;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		nr += nla_type(attr) == NST_A_BOX_KEY;
	if (!nr) {
		NL_SET_ERR_MSG(info->extack,
			       "The box has no keys: flush is for that");
		return -EINVAL;
	}
	if (nr > NST_BOX_KEYS_MAX)
		return explain(info->extack, -E2BIG);
	return load_box(info, nr);
}

/**
 * nst_box_nl_load() - NST_CMD_BOX_LOAD
 * @skb: the request
 * @info: the same, its attributes not looked at
 *
 * Context: process.
 * Return: 0; -EINVAL for a key that lacks something; or as nst_keyring_replace(); -ENOMEM.
 */
int nst_box_nl_load(struct sk_buff *skb, struct genl_info *info)
{
	int err = replace_box(info);

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

/**
 * nst_box_nl_activate() - NST_CMD_KEY_ACTIVATE
 * @skb: the request
 * @info: the same, parsed
 *
 * Context: process.
 * Return: 0; as nst_keyring_activate(); -EINVAL without a kid.
 */
int nst_box_nl_activate(struct sk_buff *skb, struct genl_info *info)
{
	int err = change_key(info, NST_EVENT_KEY_ACTIVATED, nst_keyring_activate);

	if (!err)
		may_send(genl_info_net(info));
	return err;
}

/**
 * nst_box_nl_retire() - NST_CMD_KEY_RETIRE
 * @skb: the request
 * @info: the same, parsed
 *
 * Context: process.
 * Return: 0; as nst_keyring_retire(); -EINVAL without a kid.
 */
int nst_box_nl_retire(struct sk_buff *skb, struct genl_info *info)
{
	return change_key(info, NST_EVENT_KEY_RETIRED, nst_keyring_retire);
}

/**
 * nst_box_nl_del() - NST_CMD_KEY_DEL
 * @skb: the request
 * @info: the same, parsed
 *
 * Context: process.
 * Return: 0; as nst_keyring_del(); -EINVAL without a kid.
 */
int nst_box_nl_del(struct sk_buff *skb, struct genl_info *info)
{
	return change_key(info, NST_EVENT_KEY_DELETED, nst_keyring_del);
}

/**
 * nst_box_nl_flush() - NST_CMD_BOX_FLUSH
 * @skb: the request
 * @info: the same, parsed
 *
 * Context: process.
 * Return: 0; as nst_keyring_flush().
 */
int nst_box_nl_flush(struct sk_buff *skb, struct genl_info *info)
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
	    nla_put_u32(skb, NST_A_KEY_SESSIONS,
			nst_claim_sessions(key->claim)) ||
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

	hdr = genlmsg_put_reply(reply, info, family, 0, NST_CMD_KEY_GET);
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

/**
 * nst_box_nl_get() - NST_CMD_KEY_GET of one key
 * @skb: the request
 * @info: the same, parsed
 *
 * Context: process.
 * Return: 0; -ENOKEY if there is none; -EINVAL without a kid; -ENOMEM.
 */
int nst_box_nl_get(struct sk_buff *skb, struct genl_info *info)
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

/* Where a dump goes on: the first kid not told yet. */
struct dump_state {
	unsigned int next;
};

static int dump_key(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct nst_box_slot *slot)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, family, NLM_F_MULTI,
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

/**
 * nst_box_nl_dump() - NST_CMD_KEY_GET of all keys: a part of the box
 * @skb: receives it
 * @cb: how far the dump is
 *
 * The box may change before the next part: the listener sees that by
 * NLM_F_DUMP_INTR and asks again.
 *
 * Context: process.
 * Return: bytes in @skb, or a negative errno.
 */
int nst_box_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
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

/**
 * nst_box_nl_init() - remember the family
 * @f: for the headers of what is told
 *
 * Context: process, before @f is registered.
 */
void nst_box_nl_init(const struct genl_family *f)
{
	family = f;
}
