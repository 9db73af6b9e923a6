// SPDX-License-Identifier: GPL-2.0
/* The exchange in one call, within the caller's time. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <nst/exchange.h>

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Waits for @events until @until; negative: for ever. */
static int wait_for(int fd, int events, long long until)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	long long left = -1;
	int n;

	do {
		if (until >= 0) {
			left = until - now_ms();
			if (left <= 0)
				return -ETIMEDOUT;
		}
		n = poll(&pfd, 1, left);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

int nst_exchange(int fd, const struct nst_exchange_opts *opts, int timeout_ms)
{
	long long until = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	struct nst_exchange *ex;
	int err;

	err = nst_exchange_new(&ex, fd, opts);
	if (err) {
		shutdown(fd, SHUT_RDWR);
		return err;
	}
	do {
		err = nst_exchange_step(ex);
		if (err > 0)
			err = wait_for(fd, err, until) ?: 1;
	} while (err > 0);
	nst_exchange_free(ex);
	return err;
}
