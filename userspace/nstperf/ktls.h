/* SPDX-License-Identifier: GPL-2.0 */
/* kTLS: the kernel goes on where a handshake of GnuTLS has ended. */
#ifndef NSTPERF_KTLS_H
#define NSTPERF_KTLS_H

#include <gnutls/gnutls.h>

/* 0, or trouble(). */
int ktls_take(int fd, gnutls_session_t tls, int cipher);

#endif /* NSTPERF_KTLS_H */
