// SPDX-License-Identifier: GPL-2.0
/* As abi/layout.c of libnst, which says what it is for. */
#include <nst/tls.h>

int (*const abi_prepare)(struct ssl_st *) = nst_tls_prepare;
int (*const abi_from_tls)(struct ssl_st *, const struct nst_opts *) =
	nst_from_tls;
int (*const abi_step)(struct ssl_st *, const struct nst_opts *) = nst_tls_step;
const char *(*const abi_strerror)(int) = nst_tls_strerror;
