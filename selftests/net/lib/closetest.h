/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of closed connections share: what can be seen of a connection
 * to which nobody has a descriptor.
 */
#ifndef CLOSETEST_H
#define CLOSETEST_H

#include "tcptest.h"

/* States of /proc/net/tcp. */
#define CLOSE_FIN_WAIT1	4
#define CLOSE_FIN_WAIT2	5
#define CLOSE_TIME_WAIT	6
#define CLOSE_CLOSING	11

/* Bytes that one recv returns, or -errno. */
int close_one_recv(int fd);

/* SO_ERROR */
int close_error(int fd);

/* The local port of @fd. */
unsigned int close_port(int fd);

/* The state of the connection from local port @port, 0 if there is none. */
unsigned int close_state(unsigned int port);

/* Waits until it is @want: the acknowledgment of a FIN may be put off. */
int close_wait_state(unsigned int port, unsigned int want);

/* Resets that TCP has sent in this namespace. */
static inline long close_resets(void)
{
	return nsttest_mib("/proc/thread-self/net/snmp", "Tcp:", "OutRsts");
}

/* Waits until @want sockets linger. Returns the milliseconds, -1: never. */
long close_wait_lingering(long want);

/*
 * Connections that come, send and go, @nr of them, one after the other; somebody
 * may be at them meanwhile, so that not each comes to be.
 */
void close_rounds(const struct tcptest_conf *conf, int nr);

#endif /* CLOSETEST_H */
