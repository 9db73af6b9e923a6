/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink command that lists sockets; netlink.c has the family. */
#ifndef _NST_SOCKET_NL_H
#define _NST_SOCKET_NL_H

struct genl_family;
struct netlink_callback;
struct sk_buff;

void nst_socket_nl_init(const struct genl_family *family);
int nst_socket_nl_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* _NST_SOCKET_NL_H */
