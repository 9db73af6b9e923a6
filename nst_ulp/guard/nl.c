// SPDX-License-Identifier: GPL-2.0
/* How an administrator sees and changes the rules of the guard. */
#include <linux/in.h>
#include <linux/mm.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "guard/nl.h"
#include "guard/rules.h"
#include "limits.h"

static_assert(NST_GUARD_MAX == NST_GUARD_RULES_MAX);

/* The counters of a rule have the same order here and on netlink. */
#define A_PACKETS(verdict)	(NST_A_PACKETS_PASSED + (verdict))

static_assert(A_PACKETS(NST_GUARD_PLAIN) == NST_A_PACKETS_PLAIN);
static_assert(A_PACKETS(NST_GUARD_NR_OF_RULE) == __NST_A_PACKETS_MAX);

static int check_protocol(const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	u32 proto = nla_get_u32(attr);

	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "The guard knows TCP and UDP");
	return -EINVAL;
}

#define PORT_POLICY							\
	[NST_A_RULE_PROTOCOL] = NLA_POLICY_VALIDATE_FN(NLA_U32,		\
						       check_protocol),	\
	[NST_A_RULE_PORT] = NLA_POLICY_MIN(NLA_U16, 1)

const struct nla_policy nst_guard_nl_port[NST_A_RULE_PORT + 1] = {
	PORT_POLICY,
};

const struct nla_policy nst_guard_nl_rule[NST_A_RULE_DRY_RUN + 1] = {
	PORT_POLICY,
	[NST_A_RULE_DRY_RUN] = { .type = NLA_FLAG },
};

const struct nla_policy nst_guard_nl_rules[NST_A_RULES_MAX + 1] = {
	[NST_A_RULES_RULE] = NLA_POLICY_NESTED(nst_guard_nl_rule),
};

static const struct genl_family *guard_family;

/**
 * nst_guard_nl_init() - before the family is registered
 * @family: answers are its
 */
void nst_guard_nl_init(const struct genl_family *family)
{
	guard_family = family;
}

static int explain(struct netlink_ext_ack *extack, int err)
{
	switch (err) {
	case -E2BIG:
	case -ENOSPC:
		NL_SET_ERR_MSG(extack, "The guard has room for 256 rules");
		break;
	case -EEXIST:
		NL_SET_ERR_MSG(extack, "Two rules are for the same port");
		break;
	case -ENOENT:
		NL_SET_ERR_MSG(extack, "There is no rule for this port");
		break;
	case -EOPNOTSUPP:
		NL_SET_ERR_MSG(extack, "This kernel has no netfilter");
		break;
	}
	return err;
}

/* A rule from its attributes, already checked. */
static int parse_rule(struct nst_guard_entry *entry, struct nlattr **tb,
		      bool dry_run, struct netlink_ext_ack *extack)
{
	if (!tb[NST_A_RULE_PROTOCOL] || !tb[NST_A_RULE_PORT]) {
		NL_SET_ERR_MSG(extack, "A rule needs protocol and port");
		return -EINVAL;
	}
	entry->proto = nla_get_u32(tb[NST_A_RULE_PROTOCOL]);
	entry->port = nla_get_u16(tb[NST_A_RULE_PORT]);
	entry->dry_run = dry_run;
	return 0;
}

/* NST_CMD_GUARD_ADD */
int nst_guard_nl_add(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct nst_guard_entry entry;
	int err = parse_rule(&entry, tb, tb[NST_A_RULE_DRY_RUN], info->extack);

	if (err)
		return err;
	return explain(info->extack, nst_guard_set(genl_info_net(info),
						   &entry));
}

/* NST_CMD_GUARD_DEL */
int nst_guard_nl_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nst_guard_entry entry;
	int err = parse_rule(&entry, info->attrs, false, info->extack);

	if (err)
		return err;
	return explain(info->extack, nst_guard_del(genl_info_net(info),
						   &entry));
}

/* Reads at most @nr rules; the caller has counted them. */
static int parse_rules(struct nst_guard_entry *entry, unsigned int nr,
		       struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(nst_guard_nl_rule)], *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != NST_A_RULES_RULE || !nr--)
			continue;
		err = nla_parse_nested(tb, NST_A_RULE_DRY_RUN, attr,
				       nst_guard_nl_rule, info->extack);
		if (!err)
			err = parse_rule(entry++, tb, tb[NST_A_RULE_DRY_RUN],
					 info->extack);
		if (err)
			return err;
	}
	return 0;
}

static int load_rules(struct genl_info *info, unsigned int nr)
{
	struct nst_guard_entry *entry = kvcalloc(nr, sizeof(*entry),
						 GFP_KERNEL);
	int err;

	if (!entry)
		return -ENOMEM;
	err = parse_rules(entry, nr, info);
	if (!err)
		err = explain(info->extack,
			      nst_guard_replace(genl_info_net(info), entry,
						nr));
	kvfree(entry);
	return err;
}

/* NST_CMD_GUARD_LOAD: an empty list is more likely a mistake than a wish. */
int nst_guard_nl_load(struct sk_buff *skb, struct genl_info *info)
{
	unsigned int nr = 0;
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		nr += nla_type(attr) == NST_A_RULES_RULE;
	if (!nr) {
		NL_SET_ERR_MSG(info->extack,
			       "There is no rule: flush is for that");
		return -EINVAL;
	}
	if (nr > NST_GUARD_RULES_MAX)
		return explain(info->extack, -E2BIG);
	return load_rules(info, nr);
}

/* NST_CMD_GUARD_FLUSH */
int nst_guard_nl_flush(struct sk_buff *skb, struct genl_info *info)
{
	return nst_guard_replace(genl_info_net(info), NULL, 0);
}

static int put_packets(struct sk_buff *skb, int type,
		       const struct nst_guard_rule *rule, bool out)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < NST_GUARD_NR_OF_RULE; i++)
		if (nla_put_u64_64bit(skb, A_PACKETS(i),
				      nst_guard_sum(rule, out, i),
				      NST_A_PACKETS_PAD))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_rule(struct sk_buff *skb, const struct nst_guard_slot *slot)
{
	if (nla_put_u32(skb, NST_A_RULE_PROTOCOL, slot->entry.proto) ||
	    nla_put_u16(skb, NST_A_RULE_PORT, slot->entry.port) ||
	    (slot->entry.dry_run && nla_put_flag(skb, NST_A_RULE_DRY_RUN)) ||
	    put_packets(skb, NST_A_RULE_IN, slot->rule, false) ||
	    put_packets(skb, NST_A_RULE_OUT, slot->rule, true))
		return -EMSGSIZE;
	return 0;
}

static int reply_rule(struct sk_buff *reply, struct genl_info *info,
		      const struct nst_guard_entry *entry)
{
	struct nst_guard *guard = nst_guard(genl_info_net(info));
	const struct nst_guard_slot *slot;
	int err = -ENOENT;
	void *hdr;

	hdr = genlmsg_put_reply(reply, info, guard_family, 0,
				NST_CMD_GUARD_GET);
	if (!hdr)
		return -EMSGSIZE;
	mutex_lock(&guard->lock);
	slot = nst_guard_rule(nst_guard_table(guard), entry);
	if (slot)
		err = put_rule(reply, slot);
	mutex_unlock(&guard->lock);
	if (!err)
		genlmsg_end(reply, hdr);
	return err;
}

/* NST_CMD_GUARD_GET, one */
int nst_guard_nl_get(struct sk_buff *skb, struct genl_info *info)
{
	struct nst_guard_entry entry;
	int err = parse_rule(&entry, info->attrs, false, info->extack);
	struct sk_buff *reply;

	if (err)
		return err;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	err = reply_rule(reply, info, &entry);
	if (!err)
		return genlmsg_reply(reply, info);
	nlmsg_free(reply);
	return explain(info->extack, err);
}

static int dump_rule(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct nst_guard_slot *slot)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, guard_family, NLM_F_MULTI,
				NST_CMD_GUARD_GET);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	err = put_rule(skb, slot);
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

/*
 * NST_CMD_GUARD_GET, all. The table may change before the next part: the
 * listener sees that by NLM_F_DUMP_INTR and asks again.
 */
int nst_guard_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nst_guard *guard = nst_guard(sock_net(skb->sk));
	unsigned long *next = (unsigned long *)cb->ctx;
	const struct nst_guard_table *table;

	mutex_lock(&guard->lock);
	table = nst_guard_table(guard);
	/* 0 would mean that the dump does not care. */
	cb->seq = guard->gen + 1 ?: 1;
	while (*next < table->nr && !dump_rule(skb, cb, &table->slot[*next]))
		++*next;
	mutex_unlock(&guard->lock);
	return skb->len;
}
