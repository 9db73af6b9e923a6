/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A relay, as one that ends encryption before a server: what arrives goes raw
 * through a local socket to a thread that sends it back raw; the relay sends
 * that back encrypted. Nothing raw leaves the process.
 */
#ifndef NSTPERF_RELAY_H
#define NSTPERF_RELAY_H

#include "conn.h"

/* Until the end of the connection. 0, or trouble(). */
int relay(struct conn *conn, bool verify);

#endif /* NSTPERF_RELAY_H */
