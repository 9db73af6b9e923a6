// SPDX-License-Identifier: GPL-2.0
/* A kernel's NST UDP socket and a hostile sender. See udpend.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "udpend.h"

#define SECOND	1000000000ull

#define FILL4(c)	c, c, c, c
#define FILL16(c)	FILL4(c), FILL4(c), FILL4(c), FILL4(c)
#define KEY(kid)	{ kid, { FILL16(kid), FILL16(kid) } }

/* As nl_put_key() fills them. */
const struct peer_secret udpend_box[UDPEND_KEYS] = {
	KEY(UDPEND_KID), KEY(UDPEND_KID_OTHER),
};

socklen_t udpend_addr_len(int family)
{
	return family == AF_INET6 ? sizeof(struct sockaddr_in6) :
				    sizeof(struct sockaddr_in);
}

int udpend_name(int fd, struct sockaddr_storage *ss)
{
	socklen_t len = sizeof(*ss);

	return getsockname(fd, (void *)ss, &len) ? -errno : 0;
}

int udpend_send(int from, const struct sockaddr_storage *to, const void *dgram,
		size_t len)
{
	ssize_t n = sendto(from, dgram, len, 0, (const void *)to,
			   udpend_addr_len(to->ss_family));

	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EMSGSIZE;
}

int udpend_plain(int family)
{
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, family, 0);
	int fd = socket(family, SOCK_DGRAM, 0), ret;

	if (fd >= 0 && !bind(fd, (void *)&ss, len) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return fd;
	ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

int udpend_attach(int fd, int family)
{
	int one = 1;

	return setsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
			  NST_ATTACH, &one, sizeof(one)) ? -errno : 0;
}

int udpend_install(int fd, int opt, const struct udpend_conf *conf)
{
	struct nsttest_info ti;
	int i;

	memset(&ti, 0, sizeof(ti));
	ti.info.version = NST_VERSION;
	ti.info.cipher_id = opt == NST_RX ? conf->rx_cipher : conf->cipher_id;
	ti.info.kid = opt == NST_RX ? conf->rx_kid : 0;
	ti.info.flags = conf->flags;
	if (conf->context) {
		ti.info.context_len = strlen(conf->context);
		memcpy(ti.info.context, conf->context, ti.info.context_len);
	}
	if (conf->private)
		ti.info.nr_keys = UDPEND_KEYS;
	for (i = 0; i < UDPEND_KEYS; i++) {
		ti.keys[i].kid = udpend_box[i].kid;
		memcpy(ti.keys[i].key, udpend_box[i].key, NST_KEY_SIZE);
	}
	return setsockopt(fd, SOL_NST, opt, &ti, sizeof(ti.info) +
			  ti.info.nr_keys * sizeof(ti.keys[0])) ? -errno : 0;
}

int udpend_rekey(int fd, uint16_t kid)
{
	struct nst_rekey rekey = { .kid = kid };

	return setsockopt(fd, SOL_NST, NST_REKEY, &rekey, sizeof(rekey)) ?
	       -errno : 0;
}

static int equip(int fd, const struct udpend_conf *conf)
{
	int ret = udpend_attach(fd, conf->family);

	if (!ret)
		ret = udpend_install(fd, NST_TX, conf);
	if (!ret)
		ret = udpend_install(fd, NST_RX, conf);
	return ret;
}

int udpend_socket(const struct udpend_conf *conf)
{
	int fd = udpend_plain(conf->family), ret;

	if (fd < 0)
		return fd;
	ret = equip(fd, conf);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int udpend_socket_at(const struct udpend_conf *conf,
		     const struct sockaddr_storage *at)
{
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };
	int fd = socket(conf->family, SOCK_DGRAM, 0), ret;

	if (fd < 0)
		return -errno;
	ret = equip(fd, conf);
	if (!ret && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)) ||
		     bind(fd, (const void *)at, udpend_addr_len(conf->family))))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int udpend_open_any(const struct peer_context *context, const uint8_t *dgram,
		    size_t size, struct peer_hdr *h, uint8_t *plain)
{
	int i, ret = -ENOKEY;

	for (i = 0; i < UDPEND_KEYS && ret == -ENOKEY; i++)
		ret = udppeer_open(&udpend_box[i], context, dgram, size, h,
				   plain);
	return ret;
}

int udpend_sysctl(const char *name, unsigned int value)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), "/proc/sys/net/nst/%s", name);
	snprintf(text, sizeof(text), "%u\n", value);
	return nsttest_write_file(path, text);
}

int udpend_load_box(struct udpend *e)
{
	struct talk *t = &e->t;

	if (nl_open(t))
		return -ENOENT;
	nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(t, UDPEND_KID, NST_STATE_ACTIVE, UDPEND_KID);
	nl_put_nest(t, UDPEND_KID_OTHER, NST_STATE_ACCEPT, UDPEND_KID_OTHER);
	nl_put_nest(t, UDPEND_KID_RETIRED, NST_STATE_RETIRED,
		    UDPEND_KID_RETIRED);
	return -nl_talk(t);
}

int udpend_open(struct udpend *e, const struct udpend_conf *conf)
{
	int ret;

	memset(e, 0, sizeof(*e));
	e->conf = *conf;
	e->k = -1;
	e->raw = -1;
	e->born[0] = peer_now();
	ret = nsttest_netns();
	e->born[1] = peer_now();
	if (!ret && conf->window)
		ret = udpend_sysctl("timestamp_window", conf->window);
	if (!ret && conf->sessions)
		ret = udpend_sysctl("udp_sessions_max", conf->sessions);
	if (!ret)
		ret = udpend_load_box(e);
	if (ret)
		return ret;
	e->k = udpend_socket(conf);
	if (e->k < 0)
		return e->k;
	e->raw = udpend_plain(conf->family);
	if (e->raw < 0)
		return e->raw;
	udppeer_init(&e->p, conf->cipher_id, &udpend_box[0], conf->context);
	udppeer_init(&e->other, conf->cipher_id, &udpend_box[1],
		     conf->context);
	ret = udpend_name(e->k, &e->to);
	return ret ? ret : nsttest_counters(&e->before);
}

void udpend_close(struct udpend *e)
{
	if (e->k >= 0)
		close(e->k);
	if (e->raw >= 0)
		close(e->raw);
	if (e->t.buf)
		nl_close(&e->t);
}

int64_t udpend_stat_wait(const char *name, int64_t want)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	int64_t now;

	do {
		now = nsttest_stat(name);
		if (now == want)
			break;
		usleep(2000);
	} while (peer_now() < end);
	return now;
}

const char *udpend_grown(const struct nsttest_counters *before)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	const char *grown;

	do {
		grown = nsttest_grown(before);
		if (*grown)
			break;
		usleep(500);
	} while (peer_now() < end);
	return grown;
}

int udpend_grown_to(const struct nsttest_counters *before, const char *want)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	const char *grown;

	do {
		grown = nsttest_grown(before);
		if (!strcmp(grown, want))
			return 0;
		usleep(2000);
	} while (peer_now() < end);
	fprintf(stderr, "# counted: %s\n", grown);
	return -ETIMEDOUT;
}

bool udpend_is(const char *grown, const char *causes)
{
	size_t n;

	for (; *causes; causes += n + (causes[n] == '|')) {
		n = strcspn(causes, "|");
		if (!strncmp(grown, causes, n) && !strcmp(grown + n, "+1"))
			return true;
	}
	return false;
}

/* The set of causes that are possible so far. */
static char possible[256];

/* A cause that applies @maybe; does it @surely, so that the rest is moot? */
static bool cause(const char *name, bool maybe, bool surely)
{
	size_t len = strlen(possible);

	if (maybe || surely)
		snprintf(possible + len, sizeof(possible) - len, "%s%s",
			 len ? "|" : "", name);
	return surely;
}

static bool judge_policy(const struct udpend *e, const struct peer_hdr *h)
{
	const struct udpend_conf *c = &e->conf;
	uint32_t own = 0;
	bool retired;

	if (c->flags & NST_F_INITIATOR)
		own = PEER_F_INITIATOR;
	else if (c->flags & NST_F_RESPONDER)
		own = PEER_F_RESPONDER;
	if (own && (h->flags & PEER_F_ROLES) == own)
		return cause("NstRxRole", true, true);
	if (c->rx_cipher && h->cipher_id != c->rx_cipher)
		return cause("NstRxPolicySuite", true, true);
	if (c->rx_kid && h->kid != c->rx_kid)
		return cause("NstRxPolicyKid", true, true);
	if (h->kid == UDPEND_KID || h->kid == UDPEND_KID_OTHER)
		return false;
	retired = h->kid == UDPEND_KID_RETIRED && !c->private;
	return cause(retired ? "NstRxKidRetired" : "NstRxNoKid", true, true);
}

static bool judge_time(const struct udpend *e, uint64_t timestamp)
{
	uint64_t w = (e->conf.window ? e->conf.window : 30) * SECOND;
	uint64_t now = peer_now();

	if (cause("NstRxTimePast", timestamp < now - w,
		  timestamp < e->sent - w))
		return true;
	if (cause("NstRxTimeFuture", timestamp > e->sent + w,
		  timestamp > now + w))
		return true;
	return cause("NstRxCacheAge", timestamp <= e->born[1],
		     timestamp <= e->born[0]);
}

static bool same_epoch(const struct udppeer *u, const struct peer_hdr *h)
{
	return h->cipher_id == u->cipher_id && h->kid == u->secret.kid &&
	       h->kpos == u->kpos && h->kval == u->kval &&
	       h->flags >> 16 == u->epoch;
}

/* Another upper half is another session. */
static bool judge_nonce(const struct udpend *e, const struct peer_hdr *h)
{
	int64_t d = h->nonce - e->highest;

	if (!e->live || !same_epoch(&e->p, h) ||
	    h->nonce >> 32 != e->highest >> 32 || d > 0)
		return false;
	if (d > -UDPEND_WINDOW_MIN)
		return cause("NstRxReplayed", h->nonce - e->first <=
			     e->highest - e->first, h->nonce - e->first <=
			     e->highest - e->first);
	return cause("NstRxWindow", true, d < -UDPEND_WINDOW_MAX);
}

const char *udpend_causes(const struct udpend *e, const uint8_t *dgram,
			  size_t len)
{
	const char *bad;
	struct peer_hdr h;

	possible[0] = '\0';
	/* What there is of magic and version is judged all the same. */
	if (memcmp(dgram, "NSTP", len < 4 ? len : 4))
		return "NstRxHdrMagic";
	if (len > 4 && dgram[4] != 1)
		return "NstRxHdrVersion";
	if (len < PEER_HDR_SIZE)
		return "NstRxDgramLength";
	peer_hdr_get(&h, dgram);
	bad = udppeer_judge(&h);
	if (bad)
		return bad;
	if (len != PEER_HDR_SIZE +
		   peer_body_size(peer_suite_find(h.cipher_id), h.len))
		return "NstRxDgramLength";
	if (!judge_policy(e, &h) && !judge_time(e, h.timestamp) &&
	    !judge_nonce(e, &h))
		cause("NstRxAuth", true, true);
	return possible;
}

const struct peer_secret *udpend_own_secret(void)
{
	static struct peer_secret secret = { .kid = 3 };

	if (!secret.key[0] && !secret.key[1])
		peer_random(secret.key, sizeof(secret.key));
	return &secret;
}

static int own_install(int fd)
{
	union {
		struct nst_crypto_info info;
		uint8_t room[sizeof(struct nst_crypto_info) +
			     sizeof(struct nst_key)];
	} set = { .info = {
		.version = NST_VERSION, .cipher_id = NST_CIPHER_AES_GCM,
		.nr_keys = 1,
	} };

	set.info.keys[0].kid = udpend_own_secret()->kid;
	memcpy(set.info.keys[0].key, udpend_own_secret()->key, NST_KEY_SIZE);
	return setsockopt(fd, SOL_NST, NST_TX_RX, &set, sizeof(set)) ?
	       -errno : 0;
}

int udpend_own_socket(struct sockaddr_storage *at)
{
	int fd = udpend_plain(AF_INET);

	if (fd < 0 || udpend_attach(fd, AF_INET) || own_install(fd) ||
	    udpend_name(fd, at))
		return -1;
	return fd;
}
