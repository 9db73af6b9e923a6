// SPDX-License-Identifier: GPL-2.0
/* An exchange of keys with someone in the path. See exchpath.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <nst/exchange.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchpath.h"
#include "nsttest.h"

#define MARK	"behind the exchange"
/*
 * What has not moved by then is taken not to move, milliseconds. Something that came
 * later would come to a way that is cut: no end would be another.
 */
#define STILL	20
/* More than pass in one direction until both ends are done. */
#define MOST	2048
#define LONG	(nsttest_patience(20) * 1000)

/* One direction: what comes by @from goes on by @to. */
struct way {
	int from, to, ended;
	size_t passed;
};

/* Ends 0, the initiator, and 1; what is between; and what is done, and where. */
struct path {
	int end[2];
	struct way way[2];
	struct nst_exchange *ex[2];
	int err[2];
	enum exchpath_act what;
	const struct exchpath *conf;
	size_t at;
};

static int listener(struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	return bind(fd, (void *)addr, len) || listen(fd, 1) ||
		getsockname(fd, (void *)addr, &len) ? -1 : fd;
}

static int attach(int fd)
{
	struct nst_key key = { .kid = 7, .key = "no secret" };
	struct nst_opts opts = {
		.size = sizeof(opts), .flags = NST_F_STRICT,
		.keys = &key, .nr_keys = 1,
	};

	return nst_tcp(fd, &opts);
}

int exchpath_pair(int fd[2])
{
	struct sockaddr_in addr;
	int lis = listener(&addr), err;

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	err = attach(fd[0]) || attach(lis) ||
		connect(fd[0], (void *)&addr, sizeof(addr));
	fd[1] = err ? -1 : accept(lis, NULL, NULL);
	close(lis);
	return err;
}

static int path_open(struct path *p, const struct exchpath *conf,
		     enum exchpath_act what, size_t at)
{
	struct nst_exchange_opts opts = {
		.size = sizeof(opts), .groups = &conf->group,
		.nr_groups = !!conf->group,
	};
	struct sockaddr_in real, proxy;
	int to = listener(&real), from = listener(&proxy), i, err;

	memset(p, 0, sizeof(*p));
	p->what = what;
	p->conf = conf;
	p->at = at;
	p->end[0] = socket(AF_INET, SOCK_STREAM, 0);
	err = attach(p->end[0]) || attach(to) ||
		connect(p->end[0], (void *)&proxy, sizeof(proxy));
	p->way[0].from = accept(from, NULL, NULL);
	p->way[0].to = socket(AF_INET, SOCK_STREAM, 0);
	err = err || connect(p->way[0].to, (void *)&real, sizeof(real));
	p->end[1] = accept(to, NULL, NULL);
	p->way[1].from = p->way[0].to;
	p->way[1].to = p->way[0].from;
	close(to);
	close(from);
	for (i = 0; i < 2 && !err; i++) {
		p->err[i] = 1;
		err = nst_exchange_new(&p->ex[i], p->end[i], &opts);
	}
	return err;
}

static void path_close(struct path *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		nst_exchange_free(p->ex[i]);
		close(p->end[i]);
		close(p->way[i].from);
	}
}

static void cut(struct path *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		p->way[i].ended = 1;
		shutdown(p->way[i].to, SHUT_WR);
	}
}

static void put(int fd, const char *buf, size_t len)
{
	if (len && send(fd, buf, len, MSG_NOSIGNAL) < 0)
		return;
}

/* Does nobody take anything away, so that it can only be slow? */
static int is_whole(const struct path *p)
{
	return p->what == NOTHING || p->what == DRIBBLE;
}

/* Does it, if it is due in these bytes, which are on their way. */
static void pass(struct path *p, struct way *way, char *buf, size_t n)
{
	size_t at = p->at - way->passed;

	if (way != &p->way[p->conf->dir] || p->at < way->passed || at >= n ||
	    is_whole(p)) {
		put(way->to, buf, n);
		return;
	}
	if (p->what == FLIP)
		buf[at] ^= 1 << p->at % 8;
	put(way->to, buf, p->what == CUT ? at : p->what == KEEP ? 0 : n);
	if (p->what == REPEAT)
		put(way->to, buf, n);
	else if (p->what == REFLECT)
		put(way->from, buf, n);
	else if (p->what == CUT)
		cut(p);
}

/* All that is there in one direction, or its end; 1 if there was something. */
static int pump(struct path *p, struct way *way)
{
	char buf[MOST];
	ssize_t n;

	if (way->ended)
		return 0;
	n = recv(way->from, buf, p->what == DRIBBLE ? 1 : sizeof(buf),
		 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n > 0) {
		pass(p, way, buf, n);
		way->passed += n;
	} else {
		way->ended = 1;
		shutdown(way->to, SHUT_WR);
	}
	return 1;
}

/* Something for one of the ends, or by one of them? */
static int more(struct path *p, int ms)
{
	struct pollfd fds[4];
	int i;

	for (i = 0; i < 2; i++) {
		fds[i] = (struct pollfd){
			.fd = p->way[i].ended ? -1 : p->way[i].from,
			.events = POLLIN,
		};
		fds[2 + i] = (struct pollfd){
			.fd = p->err[i] > 0 ? p->end[i] : -1,
			.events = p->err[i],
		};
	}
	return poll(fds, 4, ms) > 0;
}

static int is_under_way(const struct path *p)
{
	return p->err[0] > 0 || p->err[1] > 0;
}

/*
 * Until both have come to an end. If nothing moves any more the way is cut, as by
 * somebody's limit of time; behind that nothing may be waited for.
 */
static int play(struct path *p)
{
	int i, moved, still = 0;

	while (is_under_way(p)) {
		for (i = 0; i < 2; i++)
			if (p->err[i] > 0)
				p->err[i] = nst_exchange_step(p->ex[i]);
		moved = pump(p, &p->way[0]) + pump(p, &p->way[1]);
		if (moved || !is_under_way(p) ||
		    more(p, is_whole(p) ? LONG : STILL))
			continue;
		if (still++ > nsttest_patience(500))
			return -1;
		cut(p);
	}
	return 0;
}

/*
 * What an end sends that has failed: no byte of it goes out. The first time it may
 * be told what ended receiving.
 */
static int is_over(int fd)
{
	return send(fd, MARK, strlen(MARK), MSG_NOSIGNAL) < 0 &&
		send(fd, MARK, strlen(MARK), MSG_NOSIGNAL) < 0 &&
		errno == EPIPE;
}

/*
 * One that has come to its end, though the other has not, has the new key: what it
 * sends the other one does not take.
 */
static int is_lost(int fd, int other)
{
	char buf[64];

	if (send(fd, MARK, strlen(MARK), MSG_NOSIGNAL) < 0)
		return 1;
	return recv(other, buf, sizeof(buf), MSG_DONTWAIT) <= 0;
}

static int holds(const struct exchpath *conf, enum exchpath_act what, size_t at)
{
	struct path p;
	int ok = 0, i;

	if (!path_open(&p, conf, what, at) && !play(&p)) {
		ok = conf->may || p.err[0] < 0 || p.err[1] < 0;
		for (i = 0; i < 2; i++) {
			if (p.err[i] < 0)
				ok &= is_over(p.end[i]);
			else if (p.err[!i] < 0)
				ok &= is_lost(p.end[i], p.end[!i]);
		}
	}
	if (!ok)
		printf("# %d to %d at %zu: %d %d, %s\n", what, !conf->dir, at,
		       p.err[0], p.err[1], strerrorname_np(errno));
	path_close(&p);
	return ok;
}

/* Nobody does anything but to be slow: how much is it in each direction? */
static int count(const struct exchpath *conf, enum exchpath_act what,
		 size_t nr[2])
{
	struct path p;
	int err = path_open(&p, conf, what, 0) || play(&p) || p.err[0] ||
		p.err[1];

	nr[0] = p.way[0].passed;
	nr[1] = p.way[1].passed;
	if (conf->group)
		err |= nst_exchange_group(p.ex[0]) != conf->group ||
			nst_exchange_group(p.ex[1]) != conf->group;
	path_close(&p);
	return err || nr[0] < 80 || nr[1] < 80 || nr[0] > MOST || nr[1] > MOST;
}

int exchpath_all(enum exchpath_act what, const struct exchpath *conf)
{
	size_t nr[2], at;
	int ok = 1;

	if (what == DRIBBLE)
		return !count(conf, DRIBBLE, nr);
	if (count(conf, NOTHING, nr))
		return 0;
	for (at = 0; at < nr[conf->dir]; at += conf->every)
		ok &= holds(conf, what, at);
	return ok;
}
