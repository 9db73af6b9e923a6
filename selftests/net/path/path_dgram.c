// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams over a path that loses, doubles and reorders them, and through an
 * attacker who besides cuts, changes, repeats (also what he saw long ago), holds,
 * and sends elsewhere what he likes. Whatever he does: each one that is delivered was
 * sent, as it is, and is delivered once; and of all that reach the receivers'
 * namespace each was delivered or is counted under a cause.
 *
 *   path_dgram [NUMBER]	datagrams
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <inttypes.h>

#include "kselftest_harness.h"
#include "pathtest.h"

#define SENDERS		4
#define RECEIVERS	2
#define KEPT		4096	/* that the attacker keeps */
#define MAX		1200
#define WIRE_MAX	(MAX + 100)
#define BURST		16
#define DRAINS		600	/* times 100 ms until all must be accounted for */

static unsigned int number = 10000;

/* What a datagram says. */
struct word {
	uint32_t sender;
	uint32_t serial;
};

struct kept {
	size_t len;
	uint8_t bytes[WIRE_MAX];
};

struct field {
	struct path p;
	struct path_random r;
	int senders[SENDERS];
	int receivers[RECEIVERS];
	struct sockaddr_in to[RECEIVERS];
	int in;			/* the attacker's, where the senders send to */
	int out;		/* and where he sends from */
	struct sockaddr_in victim;	/* a sender, as he knows it */
	uint8_t *seen;		/* a bit for each serial of each sender */
	struct kept *kept;
	unsigned int nr_kept;
	uint32_t serial[SENDERS];
	uint64_t sent;
	uint64_t passed;	/* by the attacker, to the receivers */
	uint64_t got;
	unsigned int wrong;
	unsigned int twice;
	struct nsttest_counters before;
	long udp_errors;
};

static int plain(const struct path *p, int ns, const char *address,
		 struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd, ret = veth_enter(&p->v, ns);

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	memset(sin, 0, len);
	sin->sin_family = AF_INET;
	inet_pton(AF_INET, address, &sin->sin_addr);
	if (ret || bind(fd, (void *)sin, len) ||
	    getsockname(fd, (void *)sin, &len))
		return -1;
	return fd;
}

/* They have roles: nothing else keeps what is sent back from another sender. */
static int keyed(const struct path *p, int ns, const char *address,
		 struct sockaddr_in *sin, uint8_t cipher_id)
{
	struct nsttest_conf conf = {
		.cipher_id = cipher_id,
		.flags = ns ? NST_F_RESPONDER : NST_F_INITIATOR,
	};
	int fd = plain(p, ns, address, sin), one = 1;

	if (fd >= 0 && !setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one,
				   sizeof(one)) && !nsttest_install(fd, &conf))
		return fd;
	return -1;
}

/* What the receivers have no room for is UDP's to count, in their namespace. */
static long udp_errors(void)
{
	return nsttest_mib("/proc/thread-self/net/snmp", "Udp:",
			   "RcvbufErrors");
}

static int open_field(struct field *f)
{
	struct sockaddr_in at, unused;
	int i;

	f->in = plain(&f->p, 1, "10.9.0.2", &at);
	f->out = plain(&f->p, 1, "127.0.0.1", &unused);
	/* He loses nothing for want of room, which would count as theirs. */
	if (f->in < 0 || f->out < 0 ||
	    tcptest_set_int(f->in, SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20))
		return -EIO;
	for (i = 0; i < SENDERS; i++) {
		f->senders[i] = keyed(&f->p, 0, "10.9.0.1", &f->victim,
				      1 + i % NST_CIPHER_CHACHA20_POLY1305);
		if (f->senders[i] < 0 ||
		    connect(f->senders[i], (void *)&at, sizeof(at)))
			return -EIO;
	}
	for (i = 0; i < RECEIVERS; i++) {
		f->receivers[i] = keyed(&f->p, 1, "127.0.0.1", &f->to[i],
					NST_CIPHER_AES_GCM);
		if (f->receivers[i] < 0)
			return -EIO;
	}
	f->seen = calloc(SENDERS, number / 8 + 1);
	f->kept = calloc(KEPT, sizeof(*f->kept));
	return f->seen && f->kept ? 0 : -ENOMEM;
}

static void send_one(struct field *f)
{
	uint32_t i = path_range(&f->r, 0, SENDERS - 1);
	struct word w = { .sender = i, .serial = f->serial[i] };
	struct nst_rekey rekey = {};
	size_t len = path_range(&f->r, sizeof(w), MAX);
	uint8_t buf[MAX];

	if (path_once_in(&f->r, 500))
		setsockopt(f->senders[i], SOL_NST, NST_REKEY, &rekey,
			   sizeof(rekey));
	tcptest_fill(buf, len, w.serial);
	memcpy(buf, &w, sizeof(w));
	if (send(f->senders[i], buf, len, 0) != (ssize_t)len)
		return;
	f->serial[i]++;
	f->sent++;
}

static void pass(struct field *f, const void *bytes, size_t len)
{
	int to = path_once_in(&f->r, 8);

	if (sendto(f->out, bytes, len, 0, (void *)&f->to[to],
		   sizeof(f->to[to])) == (ssize_t)len)
		f->passed++;
}

static void harm(struct field *f, uint8_t *buf, size_t len)
{
	const struct kept *old;

	switch (path_range(&f->r, 0, 7)) {
	case 0:
		return;
	case 1:
		pass(f, buf, len);
		pass(f, buf, len);
		return;
	case 2:
		buf[path_range(&f->r, 0, len - 1)] ^=
			1 << path_range(&f->r, 0, 7);
		pass(f, buf, len);
		return;
	case 3:
		pass(f, buf, path_range(&f->r, 0, len));
		return;
	case 4:
		/* Longer than it says. */
		pass(f, buf, len + path_range(&f->r, 1, 16));
		return;
	case 5:
		sendto(f->in, buf, len, 0, (void *)&f->victim,
		       sizeof(f->victim));
		pass(f, buf, len);
		return;
	case 6:
		peer_random(buf + path_range(&f->r, 0, len - 1), 1);
		pass(f, buf, len);
		return;
	default:
		/* Or held back until now. */
		if (f->nr_kept) {
			old = &f->kept[path_range(&f->r, 0,
				(f->nr_kept < KEPT ? f->nr_kept : KEPT) - 1)];
			pass(f, old->bytes, old->len);
		}
	}
}

/* What has come to the attacker. */
static void attack(struct field *f)
{
	uint8_t buf[WIRE_MAX] = {};
	struct kept *k;
	ssize_t n;

	while ((n = recv(f->in, buf, MAX + PEER_HDR_SIZE + 16,
			 MSG_DONTWAIT)) >= 0) {
		if (!n)
			continue;
		k = &f->kept[f->nr_kept % KEPT];
		if (path_once_in(&f->r, 3)) {
			memcpy(k->bytes, buf, n);
			k->len = n;
			f->nr_kept++;
		}
		if (path_once_in(&f->r, 3))
			harm(f, buf, n);
		else
			pass(f, buf, n);
	}
}

static void judge(struct field *f, uint8_t *buf, size_t len)
{
	struct word w;
	size_t at;

	f->got++;
	memcpy(&w, buf, sizeof(w));
	if (len < sizeof(w) || w.sender >= SENDERS ||
	    w.serial >= f->serial[w.sender]) {
		f->wrong++;
		return;
	}
	if (!tcptest_same(buf + sizeof(w), len - sizeof(w),
			  w.serial + sizeof(w)))
		f->wrong++;
	at = (size_t)w.sender * (number / 8 + 1) + w.serial / 8;
	if (f->seen[at] & 1 << w.serial % 8)
		f->twice++;
	f->seen[at] |= 1 << w.serial % 8;
}

static unsigned int receive(struct field *f)
{
	uint8_t buf[MAX + 1];
	unsigned int nr = 0;
	ssize_t n;
	int i;

	for (i = 0; i < RECEIVERS; i++)
		while ((n = recv(f->receivers[i], buf, sizeof(buf),
				 MSG_DONTWAIT)) >= 0) {
			judge(f, buf, n);
			nr++;
		}
	/* Nobody sends to these, but he who sends back. */
	for (i = 0; i < SENDERS; i++)
		if (recv(f->senders[i], buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			f->wrong++;
	return nr;
}

/* How many that reached the receivers' namespace nobody has accounted for. */
static int64_t missing(struct field *f, uint64_t *refused)
{
	struct nsttest_counters now;
	int i;

	*refused = 0;
	if (veth_enter(&f->p.v, 1) || nsttest_counters(&now))
		return -1;
	for (i = 1; i < NST_DROP_MAX; i++)
		*refused += now.value[i] - f->before.value[i];
	return f->passed - f->got - *refused - (udp_errors() - f->udp_errors);
}

FIXTURE(dgram) {
	struct field f;
};

FIXTURE_SETUP(dgram)
{
	const struct veth_conf path = {
		.offload = VETH_GRO, .mtu = 1500,
		.netem = "delay 1ms 1ms loss 10% reorder 20% duplicate 10% corrupt 2% limit 100000",
	};
	struct field *f = &self->f;

	path_seed(&f->r);
	ASSERT_EQ(0, path_open(&f->p, &path));
	ASSERT_EQ(0, open_field(f));
	ASSERT_EQ(0, veth_enter(&f->p.v, 1));
	ASSERT_EQ(0, nsttest_counters(&f->before));
	f->udp_errors = udp_errors();
}

FIXTURE_TEARDOWN(dgram)
{
	path_close(&self->f.p);
}

TEST_F_TIMEOUT(dgram, each_once, 36000)
{
	struct field *f = &self->f;
	uint64_t refused = 0;
	unsigned int i, kid = 1;

	while (f->sent < number) {
		for (i = 0; i < BURST; i++)
			send_one(f);
		if (path_once_in(&f->r, 200)) {
			kid = 3 - kid;
			ASSERT_EQ(0, path_activate(&f->p, kid));
		}
		attack(f);
		receive(f);
	}
	for (i = 0; i < DRAINS; i++) {
		usleep(100000);
		attack(f);
		if (!receive(f) && i > 5 && !missing(f, &refused))
			break;
	}
	EXPECT_EQ(0, f->wrong);
	EXPECT_EQ(0, f->twice);
	EXPECT_EQ(0, missing(f, &refused));
	/* Two thirds are not harmed, and a tenth is lost before. */
	EXPECT_LT(f->sent / 3, f->got);
	EXPECT_LT(f->sent / 20, refused);
	TH_LOG("%" PRIu64 " sent, %" PRIu64 " reached the receivers:", f->sent,
	       f->passed);
	TH_LOG("%" PRIu64 " delivered, %" PRIu64 " refused: %s", f->got,
	       refused, nsttest_grown(&f->before));
}

static void __attribute__((constructor)) set_number(int argc, char **argv)
{
	path_number(&number, argc, argv);
}

TEST_HARNESS_MAIN
