/* SPDX-License-Identifier: GPL-2.0 */
/* net.nst.*, in each network namespace. */
#ifndef _NST_SYSCTL_H
#define _NST_SYSCTL_H

int nst_sysctl_init(void);
void nst_sysctl_exit(void);

#endif /* _NST_SYSCTL_H */
