/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink commands of the guard; netlink.c has the family. */
#ifndef _NST_GUARD_NL_H
#define _NST_GUARD_NL_H

#include <linux/nst_netlink.h>
#include <net/netlink.h>

struct genl_family;
struct genl_info;
struct netlink_callback;
struct sk_buff;

extern const struct nla_policy nst_guard_nl_port[NST_A_RULE_PORT + 1];
extern const struct nla_policy nst_guard_nl_rule[NST_A_RULE_DRY_RUN + 1];
extern const struct nla_policy nst_guard_nl_rules[NST_A_RULES_MAX + 1];

void nst_guard_nl_init(const struct genl_family *family);
int nst_guard_nl_get(struct sk_buff *skb, struct genl_info *info);
int nst_guard_nl_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nst_guard_nl_add(struct sk_buff *skb, struct genl_info *info);
int nst_guard_nl_del(struct sk_buff *skb, struct genl_info *info);
int nst_guard_nl_load(struct sk_buff *skb, struct genl_info *info);
int nst_guard_nl_flush(struct sk_buff *skb, struct genl_info *info);

#endif /* _NST_GUARD_NL_H */
