/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIBNST_OPTS_H
#define _LIBNST_OPTS_H

#include <nst/nst.h>

/* As the kernel's NST_PRIVATE_KEYS_MAX. */
#define NST_OPTS_KEYS_MAX	64

int nst_opts_read(struct nst_opts *to, const struct nst_opts *from);
int nst_opts_apply(int fd, const struct nst_opts *opts);

#endif /* _LIBNST_OPTS_H */
