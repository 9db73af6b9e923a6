/* SPDX-License-Identifier: GPL-2.0 */
/* What the server does for one client. */
#ifndef NSTPERF_SERVE_H
#define NSTPERF_SERVE_H

/* Until the client is gone. 0, or trouble(). */
int serve_client(int fd, unsigned int data_port);

#endif /* NSTPERF_SERVE_H */
