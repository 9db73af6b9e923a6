/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family "nst". */
#ifndef _NST_NETLINK_H
#define _NST_NETLINK_H

int nst_netlink_init(void);
void nst_netlink_exit(void);

#endif /* _NST_NETLINK_H */
