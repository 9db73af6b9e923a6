// SPDX-License-Identifier: GPL-2.0
/*
 * Checks nstpeer against the vectors: each record is derived, sealed and
 * opened, datagrams by udppeer too, each stream is replayed through two struct
 * peer, and every bit flipped in a small record is noticed.
 *
 * peer_vectors FILE; TAP on stdout.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "udppeer.h"

/* As much JSON as the file needs: an object's members carry a name. */
struct json {
	char *name;
	char *text;		/* strings, numbers, true, false, null */
	struct json *child;
	struct json *next;
};

static const char *at;

static void die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void *get_zeroed(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("out of memory");
	return p;
}

static char *take(const char *from, size_t len)
{
	char *s = get_zeroed(len + 1);

	memcpy(s, from, len);
	return s;
}

static void skip_space(void)
{
	while (isspace((unsigned char)*at) || *at == ',' || *at == ':')
		at++;
}

static char *parse_string(void)
{
	const char *from = ++at;

	at = strchr(at, '"');
	if (!at)
		die("unterminated string");
	return take(from, at++ - from);
}

static struct json *parse(void)
{
	struct json *j = get_zeroed(sizeof(*j)), **tail = &j->child;
	const char *from;
	char open, *name;

	skip_space();
	open = *at;
	if (open == '"') {
		j->text = parse_string();
		return j;
	}
	if (open != '{' && open != '[') {
		for (from = at; isalnum((unsigned char)*at) || *at == '-';)
			at++;
		j->text = take(from, at - from);
		return j;
	}
	at++;
	for (skip_space(); *at != (open == '{' ? '}' : ']'); skip_space()) {
		if (!*at)
			die("the file ends early");
		name = open == '{' ? parse_string() : NULL;
		*tail = parse();
		(*tail)->name = name;
		tail = &(*tail)->next;
	}
	at++;
	return j;
}

static const struct json *member(const struct json *j, const char *name)
{
	for (j = j->child; j; j = j->next) {
		if (!strcmp(j->name, name))
			return j;
	}
	die(name);
	return NULL;
}

static const char *text(const struct json *j, const char *name)
{
	return member(j, name)->text;
}

/* Returns the number of bytes; @max is the room in @out. */
static size_t unhex(const char *s, uint8_t *out, size_t max)
{
	unsigned int byte;
	size_t n;

	for (n = 0; s[2 * n]; n++) {
		if (n == max || sscanf(s + 2 * n, "%2x", &byte) != 1)
			die("bad hex string");
		out[n] = byte;
	}
	return n;
}

/* --- one record --------------------------------------------------------- */

struct vector {
	struct peer_hdr h;
	struct peer_keys keys;
	uint8_t plain[PEER_PLAIN_MAX];
	size_t plain_len;
	uint8_t rec[PEER_RECORD_MAX];
	size_t rec_len;
};

static uint8_t scratch[PEER_RECORD_MAX];

/* NULL if the vector gives none. */
static const uint8_t *salt_or_null(const struct json *j, const char *name,
				   uint8_t *buf)
{
	const struct json *m;

	for (m = j->child; m; m = m->next) {
		if (!strcmp(m->name, name) && strcmp(m->text, "null")) {
			unhex(m->text, buf, PEER_SALT_SIZE);
			return buf;
		}
	}
	return NULL;
}

static bool check_keys(const struct json *j, struct vector *v)
{
	uint8_t own[PEER_SALT_SIZE], peer[PEER_SALT_SIZE];
	uint8_t box_key[PEER_KEY_SIZE], okm[PEER_OKM_MAX];
	struct peer_context ctx;
	size_t okm_len;

	unhex(text(j, "box_key"), box_key, sizeof(box_key));
	ctx.len = unhex(text(j, "context"), ctx.bytes, sizeof(ctx.bytes));
	okm_len = unhex(text(j, "okm"), okm, sizeof(okm));
	if (peer_derive(&v->keys, &v->h, atoi(text(j, "proto")), box_key, &ctx,
			salt_or_null(j, "s_own", own),
			salt_or_null(j, "s_peer", peer)))
		return false;
	return v->keys.okm_len == okm_len && !memcmp(v->keys.okm, okm, okm_len);
}

/* A flipped bit of AAD, token or body never opens. */
static bool check_flips(struct vector *v)
{
	size_t bit, size = v->rec_len < 128 ? v->rec_len : 128;
	struct peer_hdr h;
	bool noticed = true;

	for (bit = 0; bit < size * 8; bit++) {
		v->rec[bit / 8] ^= 1 << bit % 8;
		peer_hdr_get(&h, v->rec);
		/* another length is another body: not what is tested here */
		h.len = v->h.len;
		if (peer_open(&v->keys, &h, v->rec, scratch) != -EBADMSG)
			noticed = false;
		v->rec[bit / 8] ^= 1 << bit % 8;
	}
	return noticed;
}

/* The same datagram comes out of udppeer, and goes into it. */
static bool check_datagram(const struct json *j, const struct vector *v)
{
	struct peer_secret secret = { .kid = v->h.kid };
	struct peer_hdr h = v->h;
	struct udppeer u;

	unhex(text(j, "box_key"), secret.key, sizeof(secret.key));
	udppeer_init(&u, v->h.cipher_id, &secret, NULL);
	u.context.len = unhex(text(j, "context"), u.context.bytes, 32);
	memset(h.token, 0, sizeof(h.token));
	if (udppeer_build(&u, &h, v->plain, v->plain_len, 0, scratch) !=
	    v->rec_len || memcmp(scratch, v->rec, v->rec_len))
		return false;
	return udppeer_open(&secret, &u.context, v->rec, v->rec_len, &h,
			    scratch) == (int)v->plain_len &&
	       !memcmp(scratch, v->plain, v->plain_len);
}

static bool check_record(const struct json *j)
{
	static struct vector v;
	struct peer_hdr h;

	v.plain_len = unhex(text(j, "plaintext"), v.plain, sizeof(v.plain));
	v.rec_len = unhex(text(j, "record"), v.rec, sizeof(v.rec));
	peer_hdr_get(&v.h, v.rec);
	if (!check_keys(j, &v) || v.h.len != v.plain_len)
		return false;
	if (peer_open(&v.keys, &v.h, v.rec, scratch) != (int)v.plain_len ||
	    memcmp(scratch, v.plain, v.plain_len))
		return false;
	h = v.h;
	memset(h.token, 0, sizeof(h.token));
	if (peer_seal(&v.keys, &h, v.plain, v.plain_len, 0, scratch) !=
	    v.rec_len || memcmp(scratch, v.rec, v.rec_len))
		return false;
	if (atoi(text(j, "proto")) == PEER_PROTO_UDP &&
	    !check_datagram(j, &v))
		return false;
	return check_flips(&v);
}

/* --- one stream --------------------------------------------------------- */

static void set_role(struct peer *p, const char *role)
{
	if (!strcmp(role, "initiator"))
		p->role = PEER_F_INITIATOR;
	else if (!strcmp(role, "responder"))
		p->role = PEER_F_RESPONDER;
}

static bool check_step(const struct json *j, struct peer *from,
		       struct peer *to)
{
	static uint8_t rec[PEER_RECORD_MAX], plain[PEER_PLAIN_MAX];
	size_t len = unhex(text(j, "plaintext"), plain, sizeof(plain));
	size_t size = unhex(text(j, "record"), rec, sizeof(rec));
	struct peer_hdr h;

	peer_hdr_get(&h, rec);
	if ((int)(h.flags & PEER_F_TYPE) != atoi(text(j, "type")))
		return false;
	if (peer_build(from, &h, plain, len, 0, scratch) != size ||
	    memcmp(scratch, rec, size))
		return false;
	peer_commit(from, &h);
	return peer_judge(to, &h, rec, size, scratch) == (int)len &&
	       !memcmp(scratch, plain, len);
}

static bool check_stream(const struct json *j)
{
	struct peer_secret box[8];
	struct peer a, b;
	const struct json *m;
	unsigned int nr = 0;
	bool from_a;

	for (m = member(j, "box")->child; m && nr < 8; m = m->next, nr++) {
		box[nr].kid = atoi(m->name);
		unhex(m->text, box[nr].key, PEER_KEY_SIZE);
	}
	peer_init(&a, -1, atoi(text(j, "cipher_id")), box, nr);
	a.context.len = unhex(text(j, "context"), a.context.bytes, 32);
	b = a;
	set_role(&a, text(j, "role_A"));
	set_role(&b, text(j, "role_B"));
	for (m = member(j, "records")->child; m; m = m->next) {
		from_a = !strcmp(text(m, "from"), "A");
		if (!check_step(m, from_a ? &a : &b, from_a ? &b : &a))
			return false;
	}
	return a.rx.closed && b.rx.closed;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t len;
	char *buf;

	if (!f || fseek(f, 0, SEEK_END))
		die("cannot open the vectors");
	len = ftell(f);
	rewind(f);
	buf = get_zeroed(len + 1);
	if (fread(buf, 1, len, f) != len)
		die("cannot read the vectors");
	fclose(f);
	return buf;
}

static int check_all(const struct json *list, const char *what,
		     bool (*check)(const struct json *), int *nr)
{
	const struct json *j;
	int failed = 0, i = 0;
	bool good;

	for (j = list->child; j; j = j->next) {
		good = check(j);
		failed += !good;
		printf("%s %d %s.%d.%s\n", good ? "ok" : "not ok", ++*nr, what,
		       i++, text(j, "name"));
	}
	return failed;
}

int main(int argc, char **argv)
{
	const struct json *root;
	int nr = 0, failed;

	at = read_file(argc > 1 ? argv[1] : "vectors.json");
	root = parse();
	printf("TAP version 13\n");
	failed = check_all(member(root, "records"), "record", check_record,
			   &nr);
	failed += check_all(member(root, "streams"), "stream", check_stream,
			    &nr);
	printf("1..%d\n", nr);
	return failed || !nr;
}
