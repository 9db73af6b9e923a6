/* SPDX-License-Identifier: GPL-2.0 */
/* Box files: a key a line, "kid state hex". */
#ifndef NSTKEYCTL_KEYFILE_H
#define NSTKEYCTL_KEYFILE_H

#include <linux/nst.h>
#include <linux/nst_netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Largest file read: a full box with a comment of 900 bytes to each key. */
#define KEYFILE_SIZE_MAX	(1U << 20)

/**
 * struct keyfile_key - a key of a box file
 * @kid: 1..65535
 * @line: where it stands, from 1
 * @state: what it may be used for
 * @secret: the key
 */
struct keyfile_key {
	uint16_t kid;
	unsigned int line;
	enum nst_state state;
	uint8_t secret[NST_KEY_SIZE];
};

/**
 * struct keyfile - the keys of a box file, in its order
 * @nr: how many
 * @key: the keys; NST_BOX_MAX of them have room
 *
 * From keyfile_alloc(), in memory that is not swapped out; keyfile_free()
 * wipes it.
 */
struct keyfile {
	unsigned int nr;
	struct keyfile_key key[NST_BOX_MAX];
};

/* What a file is read as. */
enum keyfile_kind {
	KEYFILE_BOX,	/* a whole box: one key is active */
	KEYFILE_KEY,	/* exactly one key, in any state */
};

struct keyfile *keyfile_alloc(void);
void keyfile_free(struct keyfile *file);

int keyfile_read(struct keyfile *file, const char *path,
		 enum keyfile_kind kind);
int keyfile_parse(struct keyfile *file, const char *name, const char *text,
		  size_t len, enum keyfile_kind kind);
int keyfile_random(uint8_t *secret);
int keyfile_write(const struct keyfile *file, int fd, const char *name);
int keyfile_save(const struct keyfile *file, const char *path, int force);

int keyfile_kid(const char *text, size_t len, uint16_t *kid);
int keyfile_state(const char *text, size_t len, enum nst_state *state);
const char *keyfile_state_name(unsigned int state);

#endif /* NSTKEYCTL_KEYFILE_H */
