// SPDX-License-Identifier: GPL-2.0
/* A program at the end of a connection. See path_end.h. */
#include <inttypes.h>
#include <sys/socket.h>

#include "path_end.h"

#define MAX	20000	/* bytes each way */
#define PIECE	3000

/* Where the bytes of a stream begin. The pattern's high bytes differ, too. */
static size_t place(unsigned int stream)
{
	return (size_t)stream * 65793;
}

void end_may_get(struct end *e, unsigned int stream)
{
	e->other = place(stream);
}

void end_init(struct end *e, int fd, struct path_random r, unsigned int stream,
	      unsigned int peers)
{
	memset(e, 0, sizeof(*e));
	e->base = place(stream);
	e->from = place(peers);
	e->other = END_NO_OTHER;
	e->fd = fd;
	e->r = r;
	e->len = path_once_in(&e->r, 8) ? 0 : path_range(&e->r, 1, MAX);
}

static bool has_sent(const struct end *e)
{
	return e->shut || e->tx_err;
}

static bool has_received(const struct end *e)
{
	return e->ended || e->err;
}

short end_events(const struct end *e)
{
	return (has_sent(e) ? 0 : POLLOUT) | (has_received(e) ? 0 : POLLIN);
}

/* A control record tells how many bytes are in front of it. */
static void send_some(struct end *e)
{
	uint8_t buf[PIECE];
	size_t n;
	ssize_t ret;

	while (e->sent < e->len) {
		uint64_t at = e->base + e->sent;

		if (path_once_in(&e->r, 16)) {
			ret = tcptest_send_type(e->fd, TCPTEST_CTL, &at,
						sizeof(at), MSG_DONTWAIT);
			if (ret == -EAGAIN)
				return;
			if (ret < 0) {
				e->tx_err = -ret;
				return;
			}
		}
		n = path_range(&e->r, 1, PIECE);
		n = n < e->len - e->sent ? n : e->len - e->sent;
		tcptest_fill(buf, n, e->base + e->sent);
		ret = send(e->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret < 0 && errno == EAGAIN)
			return;
		if (ret < 0) {
			e->tx_err = errno;
			return;
		}
		e->sent += ret;
	}
	if (shutdown(e->fd, SHUT_WR))
		e->tx_err = errno;
	else
		e->shut = true;
}

static bool is_same(const uint8_t *buf, size_t n, size_t from)
{
	uint8_t want[PIECE];

	tcptest_fill(want, n, from);
	return !memcmp(buf, want, n);
}

static bool is_marked(const uint8_t *buf, size_t n, uint64_t at)
{
	return n == sizeof(at) && !memcmp(buf, &at, n);
}

/* Is what has come what comes next? Which stream it is the first of it tells. */
static bool fits(struct end *e, const uint8_t *buf, size_t n,
		 bool (*is)(const uint8_t *buf, size_t n, size_t at))
{
	if (is(buf, n, e->from + e->got))
		return true;
	if (e->got || e->other == END_NO_OTHER || !is(buf, n, e->other))
		return false;
	e->from = e->other;
	e->foreign = true;
	return true;
}

/* Returns false if nothing more comes now. */
static bool recv_one(struct end *e)
{
	uint8_t buf[PIECE];
	int type;
	ssize_t n = tcptest_recv_type(e->fd, &type, buf, sizeof(buf),
				      MSG_DONTWAIT);

	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		e->err = -n;
		return false;
	}
	if (type == TCPTEST_CTL) {
		if (!fits(e, buf, n, is_marked))
			e->wrong = 1;
		return true;
	}
	if (!n) {
		e->ended = true;
		return false;
	}
	if (!fits(e, buf, n, is_same))
		e->wrong = 1;
	e->got += n;
	return true;
}

/* A strict end cannot send before its peer has; if that fails it gives up. */
static bool is_over(const struct end *e)
{
	return has_received(e) && (has_sent(e) || e->err);
}

/* Closes once the socket has nothing left to say of itself. */
static void close_end(struct end *e)
{
	if (tcptest_info(e->fd, &e->info))
		e->wrong = 1;
	if (e->shut && e->ended && !e->info.tx.closed && !e->wrong)
		return;
	close(e->fd);
	e->closed = true;
}

void end_step(struct end *e)
{
	if (e->fd < 0 || e->closed)
		return;
	if (!has_sent(e) && tcptest_poll(e->fd, POLLOUT, 0))
		send_some(e);
	while (!has_received(e) && recv_one(e))
		;
	if (is_over(e))
		close_end(e);
}

void end_tell(const struct end *e)
{
	fprintf(stderr, "#   sent %zu of %zu, shut %d, got %zu, ended %d, ",
		e->sent, e->len, e->shut, e->got, e->ended);
	fprintf(stderr, "errors %d %d, wrong %d; ", e->err, e->tx_err,
		e->wrong);
	fprintf(stderr, "tx %" PRIu64 " rx %" PRIu64 " records, cause %u\n",
		(uint64_t)e->info.tx.records, (uint64_t)e->info.rx.records,
		e->info.cause);
}

void tally_end(struct tally *t, const struct end *e)
{
	if (e->info.cause < NST_DROP_MAX)
		t->causes[e->info.cause]++;
	t->tx_bytes += e->info.tx.bytes;
	t->tx_records += e->info.tx.records;
	t->rx_bytes += e->info.rx.bytes;
	t->rx_records += e->info.rx.records;
	t->failed += e->err || e->tx_err;
}

void tally_read(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	t->tx_bytes = nsttest_stat("NstTxBytes");
	t->tx_records = nsttest_stat("NstTxRecords");
	t->rx_bytes = nsttest_stat("NstRxBytes");
	t->rx_records = nsttest_stat("NstRxRecords");
}
