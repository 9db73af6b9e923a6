/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink commands of a key box; netlink.c has the family. */
#ifndef _NST_BOX_NL_H
#define _NST_BOX_NL_H

#include <linux/nst_netlink.h>
#include <net/netlink.h>

struct genl_family;
struct genl_info;
struct netlink_callback;
struct sk_buff;

extern const struct nla_policy nst_box_nl_kid[NST_A_KEY_KID + 1];

void nst_box_nl_init(const struct genl_family *f);
int nst_box_nl_get(struct sk_buff *skb, struct genl_info *info);
int nst_box_nl_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nst_box_nl_add(struct sk_buff *skb, struct genl_info *info);
int nst_box_nl_activate(struct sk_buff *skb, struct genl_info *info);
int nst_box_nl_retire(struct sk_buff *skb, struct genl_info *info);
int nst_box_nl_del(struct sk_buff *skb, struct genl_info *info);
int nst_box_nl_load(struct sk_buff *skb, struct genl_info *info);
int nst_box_nl_flush(struct sk_buff *skb, struct genl_info *info);

#endif /* _NST_BOX_NL_H */
