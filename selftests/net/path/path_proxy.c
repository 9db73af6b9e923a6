// SPDX-License-Identifier: GPL-2.0
/* The attacker on the path. See path_proxy.h. */
#include <sys/socket.h>

#include "path_proxy.h"

#define ROOM	(4 * PEER_RECORD_MAX)
#define KEPT	64

const char *const proxy_deeds[DEED_NR] = {
	"nothing", "hold", "flip", "type", "shorten", "drop", "twice", "swap",
	"garbage", "cut_inside", "cut_behind", "reset", "replay_one",
	"replay_all", "splice", "close", "reflect", "behind_close",
};

static struct proxy_seen *kept[2][KEPT];
static unsigned int nr_kept;

struct proxy *proxy_new(enum proxy_deed deed, struct path_random r,
			unsigned int streams)
{
	struct proxy *p = calloc(1, sizeof(*p));
	int i;

	if (!p)
		abort();
	p->r = r;
	p->deed = deed;
	p->way = path_range(&p->r, 0, 1);
	p->nr = path_once_in(&p->r, 4) ? 0 : path_range(&p->r, 0, 8);
	for (i = 0; i < 2; i++) {
		p->ways[i].in = malloc(ROOM);
		p->ways[i].out = malloc(2 * ROOM);
		if (!p->ways[i].in || !p->ways[i].out)
			abort();
		p->ways[i].from = -1;
		p->ways[i].seen.stream = streams + i;
	}
	return p;
}

void proxy_join(struct proxy *p, int a, int b)
{
	p->ways[0].from = p->ways[1].to = a;
	p->ways[1].from = p->ways[0].to = b;
}

void proxy_free(struct proxy *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (p->ways[i].from >= 0)
			close(p->ways[i].from);
		free(p->ways[i].in);
		free(p->ways[i].out);
	}
	free(p);
}

void proxy_remember(const struct proxy *p)
{
	unsigned int slot = nr_kept++ % KEPT;
	int i;

	for (i = 0; i < 2; i++) {
		if (!kept[i][slot])
			kept[i][slot] = malloc(sizeof(*kept[i][slot]));
		if (!kept[i][slot])
			abort();
		*kept[i][slot] = p->ways[i].seen;
	}
}

/* An earlier connection in the same direction, or in the other one. */
static const struct proxy_seen *recall(struct proxy *p)
{
	unsigned int have = nr_kept < KEPT ? nr_kept : KEPT;
	int way = path_once_in(&p->r, 4) ? !p->way : p->way;

	const struct proxy_seen *old;

	if (!have)
		return NULL;
	old = kept[way][path_range(&p->r, 0, have - 1)];
	p->has_old = true;
	p->old_stream = old->stream;
	return old;
}

static void keep(struct proxy_way *w, const uint8_t *rec, size_t size)
{
	struct proxy_seen *s = &w->seen;
	uint32_t end = s->at[s->nr];

	if (s->nr == PROXY_RECS || end + size > PROXY_SEEN)
		return;
	memcpy(s->bytes + end, rec, size);
	s->at[++s->nr] = end + size;
}

static void pass(struct proxy_way *w, const uint8_t *bytes, size_t n)
{
	if (w->cut || w->out_len + n > 2 * ROOM)
		return;
	memcpy(w->out + w->out_len, bytes, n);
	w->out_len += n;
}

/* Records @from.. of what was seen, at most @nr. */
static void pass_seen(struct proxy_way *w, const struct proxy_seen *s,
		      unsigned int from, unsigned int nr)
{
	unsigned int to = from + nr < s->nr ? from + nr : s->nr;

	if (from < to)
		pass(w, s->bytes + s->at[from], s->at[to] - s->at[from]);
}

/* TCP answers a disconnect of an open connection with a reset. */
static void reset(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	connect(fd, &none, sizeof(none));
}

static void harm_bytes(struct proxy *p, struct proxy_way *w, uint8_t *rec,
		       size_t size)
{
	uint8_t noise[64];
	unsigned int n;

	switch (p->deed) {
	case DEED_FLIP:
		rec[path_range(&p->r, 0, size - 1)] ^=
			1 << path_range(&p->r, 0, 7);
		pass(w, rec, size);
		break;
	case DEED_TYPE:
		/* Empty, or its header is refused before its tag is. */
		rec[6] = rec[7] = 0;
		rec[47] = PEER_CLOSE;
		pass(w, rec, PEER_HDR_SIZE);
		break;
	case DEED_SHORTEN:
		n = path_range(&p->r, 1, size);
		pass(w, rec, size - n);
		break;
	default:
		n = path_range(&p->r, 1, sizeof(noise));
		peer_random(noise, sizeof(noise));
		if (path_once_in(&p->r, 2))
			memcpy(noise, rec, n < 8 ? n : 8);
		pass(w, noise, n);
		pass(w, rec, size);
	}
}

static void harm_end(struct proxy *p, struct proxy_way *w, const uint8_t *rec,
		     size_t size)
{
	if (p->deed == DEED_CUT_INSIDE)
		pass(w, rec, path_range(&p->r, 1, size - 1));
	if (p->deed == DEED_RESET)
		reset(w->to);
	w->cut = true;
}

static void harm_by_old(struct proxy *p, struct proxy_way *w,
			const uint8_t *rec, size_t size)
{
	const struct proxy_seen *old = recall(p);

	if (!old || !old->nr) {
		/* The first one of all; what it does must still be something. */
		pass(w, rec, size / 2);
		w->cut = true;
		return;
	}
	switch (p->deed) {
	case DEED_REPLAY_ONE:
		pass_seen(w, old, path_range(&p->r, 0, old->nr - 1), 1);
		pass(w, rec, size);
		break;
	case DEED_CLOSE:
		pass_seen(w, old, old->nr - 1, 1);
		w->cut = true;
		break;
	case DEED_REPLAY_ALL:
		pass_seen(w, old, 0, old->nr);
		w->cut = true;
		break;
	default:
		pass_seen(w, old, w->nr, old->nr);
		w->cut = true;
	}
}

static void harm(struct proxy *p, struct proxy_way *w, uint8_t *rec,
		 size_t size)
{
	struct proxy_way *other = &p->ways[!p->way];

	p->done = true;
	switch (p->deed) {
	case DEED_DROP:
		break;
	case DEED_TWICE:
		pass(w, rec, size);
		pass(w, rec, size);
		break;
	case DEED_SWAP:
		/* The next one goes before; see take(). */
		break;
	case DEED_CUT_INSIDE: case DEED_CUT_BEHIND: case DEED_RESET:
		harm_end(p, w, rec, size);
		break;
	case DEED_REPLAY_ONE: case DEED_REPLAY_ALL: case DEED_SPLICE:
	case DEED_CLOSE:
		harm_by_old(p, w, rec, size);
		break;
	case DEED_REFLECT:
		pass_seen(w, &other->seen, 0, other->seen.nr);
		w->cut = other->seen.nr;
		if (!w->cut)
			p->done = false;
		break;
	default:
		harm_bytes(p, w, rec, size);
	}
}

static void take(struct proxy *p, struct proxy_way *w, uint8_t *rec,
		 size_t size)
{
	bool victim = w == &p->ways[p->way] && p->deed >= DEED_KIND;
	bool last = rec[47] == PEER_CLOSE;

	keep(w, rec, size);
	if (victim && p->deed == DEED_BEHIND_CLOSE) {
		pass(w, rec, size);
		if (last)
			pass(w, rec, path_range(&p->r, 1, size));
		p->done |= last;
	} else if (victim && !p->done && (w->nr >= p->nr || last)) {
		harm(p, w, rec, size);
		if (p->deed == DEED_REFLECT && !p->done)
			pass(w, rec, size);
	} else {
		pass(w, rec, size);
		if (victim && p->deed == DEED_SWAP && w->nr == p->nr + 1)
			pass_seen(w, &w->seen, p->nr, 1);
	}
	w->nr++;
}

static size_t record_size(const uint8_t *rec)
{
	struct peer_hdr h;

	peer_hdr_get(&h, rec);
	return PEER_HDR_SIZE + peer_body_size(peer_suite_find(h.cipher_id),
					      h.len);
}

static void read_way(struct proxy *p, struct proxy_way *w)
{
	size_t at = 0, size;
	ssize_t n;

	if (w->eof || w->out_len > ROOM / 2 || w->in_len == ROOM)
		return;
	n = recv(w->from, w->in + w->in_len, ROOM - w->in_len, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		w->eof = true;
		if (n < 0)
			reset(w->to);
		return;
	}
	w->in_len += n;
	while (w->in_len - at >= PEER_HDR_SIZE) {
		size = record_size(w->in + at);
		if (w->in_len - at < size)
			break;
		take(p, w, w->in + at, size);
		at += size;
	}
	memmove(w->in, w->in + at, w->in_len - at);
	w->in_len -= at;
}

/* May this way pass anything on yet? */
static bool is_held(const struct proxy *p, const struct proxy_way *w)
{
	const struct proxy_way *other = &p->ways[!p->way];

	/* Behind the START, as the other end may wait for that. */
	return p->deed == DEED_HOLD && w == &p->ways[p->way] &&
	       w->seen.nr > 2 && w->sent >= w->seen.at[2] && !other->eof;
}

static void write_way(struct proxy *p, struct proxy_way *w)
{
	ssize_t n;

	if (w->shut || is_held(p, w))
		return;
	while (w->out_len) {
		n = path_range(&p->r, 1, path_once_in(&p->r, 3) ? 60 : 3000);
		n = (size_t)n < w->out_len ? n : (ssize_t)w->out_len;
		n = send(w->to, w->out, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			reset(w->from);
			w->eof = w->cut = true;
			w->out_len = 0;
			break;
		}
		memmove(w->out, w->out + n, w->out_len - n);
		w->out_len -= n;
		w->sent += n;
		if (is_held(p, w))
			return;
	}
	if (!w->eof && !w->cut)
		return;
	shutdown(w->to, SHUT_WR);
	w->shut = true;
}

short proxy_events(const struct proxy *p, int nr)
{
	const struct proxy_way *w = &p->ways[nr], *back = &p->ways[!nr];
	short events = 0;

	/* What was reset says POLLHUP for ever. */
	if (w->eof && back->shut)
		return -1;
	if (!w->eof && w->out_len <= ROOM / 2)
		events |= POLLIN;
	if (back->out_len && !is_held(p, back))
		events |= POLLOUT;
	return events;
}

void proxy_step(struct proxy *p)
{
	int i;

	for (i = 0; i < 2; i++)
		read_way(p, &p->ways[i]);
	for (i = 0; i < 2; i++)
		write_way(p, &p->ways[i]);
}
