/* SPDX-License-Identifier: GPL-2.0 */
/* Values of socket options: how they come in, and how they go out. */
#ifndef _NST_OPTVAL_H
#define _NST_OPTVAL_H

#include <linux/nst.h>
#include <linux/sockptr.h>

int nst_opt_get(void *value, unsigned int size, sockptr_t optval,
		unsigned int len);
int nst_opt_get_rekey(struct nst_rekey *rekey, sockptr_t optval,
		      unsigned int len);
int nst_opt_room(int __user *optlen);
int nst_opt_put(const void *value, int size, int room, bool shorter,
		char __user *optval, int __user *optlen);

#endif /* _NST_OPTVAL_H */
