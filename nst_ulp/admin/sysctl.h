/* SPDX-License-Identifier: GPL-2.0 */
/* net.nst.*, in each network namespace. */
#ifndef _NST_SYSCTL_H
#define _NST_SYSCTL_H

#ifdef CONFIG_SYSCTL
int nst_sysctl_init(void);
void nst_sysctl_exit(void);
#else
/* The defaults of nst_net hold. */
static inline int nst_sysctl_init(void) { return 0; }
static inline void nst_sysctl_exit(void) {}
#endif

#endif /* _NST_SYSCTL_H */
