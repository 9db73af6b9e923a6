// SPDX-License-Identifier: GPL-2.0
/* The naive memory. See model.h. */
#include <linux/string.h>
#include <shim/test.h>
#include "model.h"

unsigned int boxes_of(const struct secret *s)
{
	unsigned int u, n = 0;

	for (u = 0; u < USERS; u++)
		n += s->boxes[u];
	return n;
}

static void leave(struct model *m, unsigned int user, unsigned int n, u64 left)
{
	unsigned int i, nr = 0, lowest = SECRETS;
	struct secret *model = m->secret;

	model[n].has_left[user] = true;
	model[n].left = left;
	for (i = 0; i < SECRETS; i++) {
		if (!model[i].has_left[user])
			continue;
		nr++;
		if (lowest == SECRETS || model[i].left < model[lowest].left)
			lowest = i;
	}
	if (nr <= LEFT)
		return;
	model[lowest].has_left[user] = false;
	if (model[lowest].left > m->given_up[user])
		m->given_up[user] = model[lowest].left;
}

static u64 newest_of(const struct secret *s)
{
	u64 newest = s->floor > s->ses_floor ? s->floor : s->ses_floor;
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (s->known[i].timestamp > newest)
			newest = s->known[i].timestamp;
	return newest;
}

static void forget_session(struct secret *s, unsigned int i)
{
	if (s->ses[i].newest > s->ses_floor)
		s->ses_floor = s->ses[i].newest;
	s->ses[i] = s->ses[--s->nr_ses];
}

static bool is_old(u64 timestamp)
{
	return timestamp < now.real && now.real - timestamp > bounds.window;
}

static void expire_sessions(struct secret *s)
{
	unsigned int i;

	for (i = s->nr_ses; i--; )
		if (is_old(s->ses[i].newest))
			forget_session(s, i);
}

void model_expire(struct model *m)
{
	unsigned int n, u;

	for (n = 0; n < SECRETS; n++) {
		struct secret *s = &m->secret[n];
		u64 newest;

		if (s->made)
			expire_sessions(s);
		newest = newest_of(s);
		if (!s->made || boxes_of(s) || s->nr_ses || !is_old(newest) ||
		    now.boot - s->unheld < 2 * bounds.window)
			continue;
		s->made = false;
		s->nr = 0;
		for (u = 0; u < USERS; u++)
			if (s->held[u])
				leave(m, u, n, newest);
		memset(s->held, 0, sizeof(s->held));
	}
}

/* What a memory begins with. */
static u64 floor_before(const struct model *m, unsigned int n,
			unsigned int user)
{
	const struct secret *s = &m->secret[n];
	u64 floor = m->given_up[user];
	unsigned int u;

	for (u = 0; u < USERS; u++)
		if (s->has_left[u] && s->left > floor)
			floor = s->left;
	return floor;
}

u64 model_floor(const struct model *m, unsigned int n, unsigned int user)
{
	return m->secret[n].made ? m->secret[n].floor :
				   floor_before(m, n, user);
}

static enum nst_drop judge_time(const struct model *m, u64 timestamp)
{
	s64 age = now.real - timestamp;

	if (age > (s64)bounds.window)
		return NST_DROP_TIME_PAST;
	if (-age > (s64)bounds.window)
		return NST_DROP_TIME_FUTURE;
	return age >= (s64)(now.boot - m->born) ? NST_DROP_CACHE_AGE : NST_OK;
}

enum nst_drop model_judge(const struct model *m, unsigned int n,
			  unsigned int user, u64 timestamp)
{
	enum nst_drop drop = judge_time(m, timestamp);

	if (drop)
		return drop;
	return timestamp > model_floor(m, n, user) ? NST_OK :
						     NST_DROP_CACHE_FLOOR;
}

static void make(struct model *m, unsigned int n, unsigned int user)
{
	struct secret *s = &m->secret[n];
	unsigned int u;

	s->floor = floor_before(m, n, user);
	s->ses_floor = s->floor;
	s->made = true;
	for (u = 0; u < USERS; u++)
		s->held[u] = s->boxes[u] || s->has_left[u];
	memset(s->has_left, 0, sizeof(s->has_left));
}

static void forget(struct secret *s)
{
	unsigned int i, oldest = 0;

	for (i = 1; i < s->nr; i++)
		if (s->known[i].timestamp < s->known[oldest].timestamp ||
		    (s->known[i].timestamp == s->known[oldest].timestamp &&
		     s->known[i].nonce < s->known[oldest].nonce))
			oldest = i;
	if (s->known[oldest].timestamp > s->floor)
		s->floor = s->known[oldest].timestamp;
	s->known[oldest] = s->known[--s->nr];
}

enum nst_drop model_take(struct model *m, unsigned int n, unsigned int user,
			 const struct start *start)
{
	struct secret *s = &m->secret[n];
	unsigned int i;

	if (start->timestamp <= model_floor(m, n, user))
		return NST_DROP_CACHE_FLOOR;
	if (!s->made)
		make(m, n, user);
	for (i = 0; i < s->nr; i++)
		if (!memcmp(&s->known[i], start, sizeof(*start)))
			return NST_DROP_REPLAYED;
	s->known[s->nr++] = *start;
	while (s->nr > bounds.starts)
		forget(s);
	return NST_OK;
}

struct session *model_session(struct secret *s, const struct piece *piece)
{
	unsigned int i;

	for (i = 0; s->made && i < s->nr_ses; i++)
		if (s->ses[i].epoch == piece->epoch &&
		    s->ses[i].upper == piece->nonce >> 32)
			return &s->ses[i];
	return NULL;
}

static enum nst_drop check(const struct session *ses, u64 nonce)
{
	unsigned int i;

	if (nonce <= ses->top && ses->top - nonce >= NST_REPLAY_WINDOW)
		return NST_DROP_WINDOW;
	for (i = 0; i < ses->nr; i++)
		if (ses->taken[i] == nonce)
			return NST_DROP_REPLAYED;
	return NST_OK;
}

static u64 floor_of_sessions(const struct model *m, unsigned int n,
			     unsigned int user)
{
	return m->secret[n].made ? m->secret[n].ses_floor :
				   floor_before(m, n, user);
}

enum nst_drop model_judge_dgram(struct model *m, unsigned int n,
				unsigned int user, const struct piece *piece)
{
	const struct session *ses = model_session(&m->secret[n], piece);
	enum nst_drop drop = judge_time(m, piece->timestamp);

	if (drop)
		return drop;
	if (piece->timestamp <= (ses ? ses->floor :
				 floor_of_sessions(m, n, user)))
		return NST_DROP_CACHE_FLOOR;
	return ses ? check(ses, piece->nonce) : NST_OK;
}

/* There are no more than are candidates, so it is the oldest of all. */
static bool make_room(struct secret *s, u64 timestamp)
{
	unsigned int i, oldest = 0;

	if (s->nr_ses < bounds.sessions)
		return true;
	for (i = 1; i < s->nr_ses; i++)
		if (s->ses[i].newest < s->ses[oldest].newest)
			oldest = i;
	if (s->ses[oldest].newest >= timestamp ||
	    s->ses[oldest].newest >= now.real)
		return false;
	forget_session(s, oldest);
	return true;
}

enum nst_drop model_new_session(struct model *m, unsigned int n,
				unsigned int user, const struct piece *piece)
{
	struct secret *s = &m->secret[n];
	struct session *ses;

	if (piece->timestamp <= floor_of_sessions(m, n, user))
		return NST_DROP_CACHE_FLOOR;
	if (s->made && !make_room(s, piece->timestamp))
		return NST_DROP_SESSION_FULL;
	if (!s->made)
		make(m, n, user);
	ses = &s->ses[s->nr_ses++];
	ses->epoch = piece->epoch;
	ses->upper = piece->nonce >> 32;
	ses->floor = s->ses_floor;
	ses->newest = piece->timestamp;
	ses->top = piece->nonce;
	ses->nr = 0;
	return NST_OK;
}

void model_take_dgram(struct model *m, unsigned int n,
		      const struct piece *piece)
{
	struct session *ses = model_session(&m->secret[n], piece);

	NEED(ses->nr < TAKEN);
	ses->taken[ses->nr++] = piece->nonce;
	if (piece->nonce > ses->top)
		ses->top = piece->nonce;
	if (piece->timestamp > ses->newest)
		ses->newest = piece->timestamp;
}
