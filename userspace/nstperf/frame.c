// SPDX-License-Identifier: GPL-2.0
/* Messages between client and server about what is to be measured. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "clock.h"
#include "frame.h"
#include "object.h"
#include "test.h"
#include "trouble.h"

/* Objects in objects: ours are flat but for what a machine tells of itself. */
#define DEPTH_MAX	8
/* Seconds without a sign of life. */
#define WATCH_S		30

struct head {
	char magic[4];
	uint16_t version;
	uint16_t type;
	uint32_t length;
};

static const char magic[4] = "nstP";

void frame_watch(int fd)
{
	struct timeval limit = { WATCH_S, 0 };
	int one = 1, idle = 10, interval = 5, count = 4;
	unsigned int ms = WATCH_S * 1000;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int send_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return trouble("the other end is gone: %s",
				       strerror(errno));
		p += n;
		len -= n;
	}
	return 0;
}

int frame_send(int fd, enum frame_type type, struct json_object *json)
{
	const char *text = json ?
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN) :
		"{}";
	size_t len = strlen(text);
	struct head head = {
		.version = htons(FRAME_VERSION), .type = htons(type),
		.length = htonl(len),
	};
	int rc;

	memcpy(head.magic, magic, sizeof(magic));
	if (len > FRAME_MAX)
		rc = trouble("a message became too long");
	else
		rc = send_all(fd, &head, sizeof(head)) ||
		     send_all(fd, text, len) ? -1 : 0;
	json_object_put(json);
	return rc;
}

int frame_refuse(int fd)
{
	struct json_object *json = json_object_new_object();

	object_add_text(json, "why", trouble_text());
	return frame_send(fd, FRAME_REFUSE, json);
}

static int recv_all(int fd, void *buf, size_t len, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	char *to = buf;
	ssize_t n;

	while (len) {
		now = clock_ns();
		if (now >= until)
			return trouble("the other end says nothing any more");
		n = poll(&p, 1, (until - now) / 1000000 + 1);
		/* A signal, as Ctrl-C: what it means is for the caller. */
		if (n < 0 && errno == EINTR)
			return trouble("interrupted");
		if (n <= 0)
			continue;
		n = recv(fd, to, len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return trouble("the other end is gone%s%s",
				       n ? ": " : "", n ? strerror(errno) : "");
		to += n;
		len -= n;
	}
	return 0;
}

/* Length of the rest; 0 is none that has a body, so -1 alone is trouble. */
static int judge_head(const struct head *head)
{
	unsigned int version = ntohs(head->version);
	uint32_t len = ntohl(head->length);

	if (memcmp(head->magic, magic, sizeof(magic)))
		return trouble("the other end is no nstperf");
	if (version != FRAME_VERSION)
		return trouble("the other end speaks protocol %u of nstperf, this one %u",
			       version, FRAME_VERSION);
	if (len < 2 || len > FRAME_MAX)
		return trouble("the other end sent a message of %u bytes",
			       len);
	return 0;
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *json = NULL;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json = json_tokener_parse_ex(tokener, text, len + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		json = NULL;
		trouble("the other end sent rubbish");
	}
	json_tokener_free(tokener);
	return json;
}

enum frame_type frame_recv(int fd, struct json_object **json, int ms)
{
	uint64_t until = clock_ns() + ms * 1000000ULL;
	struct head head;
	char *text;
	size_t len;

	*json = NULL;
	if (recv_all(fd, &head, sizeof(head), until) || judge_head(&head))
		return 0;
	len = ntohl(head.length);
	text = malloc(len + 1);
	if (!text) {
		trouble("no memory");
		return 0;
	}
	if (!recv_all(fd, text, len, until)) {
		text[len] = '\0';
		*json = parse(text, len);
	}
	free(text);
	return *json ? ntohs(head.type) : 0;
}

int frame_expect(int fd, enum frame_type want, struct json_object **json,
		 int ms)
{
	struct json_object *got;
	enum frame_type type = frame_recv(fd, &got, ms);
	int rc = 0;

	if (json)
		*json = NULL;
	if (!type)
		return -1;
	if (type == FRAME_REFUSE)
		rc = trouble("the server: %s", object_text(got, "why"));
	else if (type != want)
		rc = trouble("the other end sent message %d, not %d", type,
			     want);
	if (rc || !json)
		json_object_put(got);
	else
		*json = got;
	return rc;
}
