/* SPDX-License-Identifier: GPL-2.0 */
/* What a key is called where the key itself must not be shown. */
#ifndef _NST_FINGERPRINT_H
#define _NST_FINGERPRINT_H

#include <linux/nst_netlink.h>
#include <linux/types.h>

int nst_fingerprint_init(void);
void nst_fingerprint_exit(void);
int nst_fingerprint(const u8 *secret, u8 fp[NST_FINGERPRINT_LEN]);

#endif /* _NST_FINGERPRINT_H */
