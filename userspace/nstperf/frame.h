/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between client and server about what is to be measured, on a TCP
 * connection of their own: a head of 12 bytes and an object of JSON. The first
 * one of each end is FRAME_HELLO. The head never changes, so that ends of any two
 * versions can tell each other why it does not work.
 */
#ifndef NSTPERF_FRAME_H
#define NSTPERF_FRAME_H

#include <json-c/json.h>

#define FRAME_VERSION	1
#define FRAME_MAX	(1U << 20)

enum frame_type {
	FRAME_NONE,		/* trouble */
	FRAME_HELLO,		/* each end: who it is */
	FRAME_TEST,		/* client: prepare for this */
	FRAME_READY,		/* server: come to these ports */
	FRAME_BEGIN,		/* client: measure from now on; server: so I do */
	FRAME_END,		/* client: measure no more; server: so I do */
	FRAME_FINISH,		/* client: all is sent */
	FRAME_RESULT,		/* server: what was measured */
	FRAME_REFUSE,		/* server: not that, and why */
};

/* A peer without power is noticed within half a minute, and holds up no send. */
void frame_watch(int fd);

/* Sends one; takes @json, which may be NULL for an empty object. */
int frame_send(int fd, enum frame_type type, struct json_object *json);

/* Sends a refusal with the reason that trouble_text() has. */
int frame_refuse(int fd);

/*
 * Waits @ms for a message, and as long for the rest of one that has begun. Its
 * object belongs to the caller. 0 after trouble(): also for a peer that is none,
 * or of another version.
 */
enum frame_type frame_recv(int fd, struct json_object **json, int ms);

/* The same, but anything else than @want is trouble(), as is a refusal. */
int frame_expect(int fd, enum frame_type want, struct json_object **json,
		 int ms);

#endif /* NSTPERF_FRAME_H */
