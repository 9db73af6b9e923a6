/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NST_TLS_JUDGE_H
#define _NST_TLS_JUDGE_H

#include <openssl/ssl.h>

int nst_judge_socket(SSL *ssl, BIO **bio);
int nst_judge_handshake(SSL *ssl);
int nst_judge_queue(int fd);

#endif /* _NST_TLS_JUDGE_H */
