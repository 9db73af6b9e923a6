/* SPDX-License-Identifier: GPL-2.0 */
/* What a socket tells of itself: NST_INFO and inet_diag. */
#ifndef _NST_DIAG_H
#define _NST_DIAG_H

#include <linux/types.h>

struct nst_info;
struct nst_tcp;
struct sk_buff;
struct sock;

void nst_diag_fill(const struct nst_tcp *nst, struct nst_info *info);
NST_ULP_INFO(nst_diag_info);
NST_ULP_INFO_SIZE(nst_diag_info_size);

#endif /* _NST_DIAG_H */
