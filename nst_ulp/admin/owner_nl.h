/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of the generic netlink family about owners. */
#ifndef _NST_OWNER_NL_H
#define _NST_OWNER_NL_H

struct genl_family;
struct netlink_callback;
struct sk_buff;

void nst_owner_nl_init(const struct genl_family *family);
int nst_owner_nl_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* _NST_OWNER_NL_H */
