// SPDX-License-Identifier: GPL-2.0
/*
 * keyfile.c of nstkeyctl: what it reads and writes, and for every kind of bad
 * file the message, word by word. A program of user space, so it uses nothing
 * of the shim for kernel code.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keyfile.h"

#define K1 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define K2 "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221101"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static unsigned int number;
static int failed;
static int saved_stderr;
static char said[4096];
static char dir[32];

static void verdict(int good, const char *name)
{
	number++;
	if (!good) {
		failed = 1;
		printf("# said: %s\n", said);
	}
	printf("%sok %u %s\n", good ? "" : "not ", number, name);
}

/* Between these two, what goes to stderr goes to @said. */
static void listen(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/stderr", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void listened(void)
{
	ssize_t n;

	fflush(stderr);
	lseek(STDERR_FILENO, 0, SEEK_SET);
	n = read(STDERR_FILENO, said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = 0;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
}

static const struct bad {
	const char *name;
	enum keyfile_kind kind;
	const char *text;
	const char *message;
} bad[] = {
	{ "empty", KEYFILE_BOX, "",
	  "F: no key in it: make one with 'nstkeyctl genbox'\n" },
	{ "empty_key", KEYFILE_KEY, "# nothing\n\n",
	  "F: no key in it: make one with 'nstkeyctl genkey'\n" },
	{ "one_field", KEYFILE_BOX, "1 active " K1 "\n\n7\n",
	  "F:3: 1 fields: a line has three, kid, state and key\n" },
	{ "two_fields", KEYFILE_BOX, "1 " K1 "\n",
	  "F:1: 2 fields: a line has three, kid, state and key\n" },
	{ "four_fields", KEYFILE_BOX, "1 active " K1 " x\n",
	  "F:1: 4 fields: a line has three, kid, state and key\n" },
	{ "commented_key", KEYFILE_BOX, "1 active # " K1 "\n",
	  "F:1: 2 fields: a line has three, kid, state and key\n" },
	{ "kid_zero", KEYFILE_BOX, "0 active " K1 "\n",
	  "F:1: the kid is '0': it must be a number from 1 to 65535\n" },
	{ "kid_large", KEYFILE_BOX, "65536 active " K1 "\n",
	  "F:1: the kid is '65536': it must be a number from 1 to 65535\n" },
	{ "kid_negative", KEYFILE_BOX, "-1 active " K1 "\n",
	  "F:1: the kid is '-1': it must be a number from 1 to 65535\n" },
	{ "kid_word", KEYFILE_BOX, "one active " K1 "\n",
	  "F:1: the kid is 'one': it must be a number from 1 to 65535\n" },
	{ "kid_hex", KEYFILE_BOX, "0x1 active " K1 "\n",
	  "F:1: the kid is '0x1': it must be a number from 1 to 65535\n" },
	{ "kid_long", KEYFILE_BOX, "000001 active " K1 "\n",
	  "F:1: the kid is '000001': it must be a number from 1 to 65535\n" },
	{ "kid_is_key", KEYFILE_BOX, K1 " 1 active\n",
	  "F:1: the kid has 64 characters: it must be a number from 1 to 65535\n" },
	{ "kid_unprintable", KEYFILE_BOX, "1\033[2J active " K1 "\n",
	  "F:1: the kid has 5 characters: it must be a number from 1 to 65535\n" },
	{ "state_word", KEYFILE_BOX, "1 on " K1 "\n",
	  "F:1: the state is 'on': it must be accept, active or retired\n" },
	{ "state_prefix", KEYFILE_BOX, "1 activ " K1 "\n",
	  "F:1: the state is 'activ': it must be accept, active or retired\n" },
	{ "state_suffix", KEYFILE_BOX, "1 actives " K1 "\n",
	  "F:1: the state is 'actives': it must be accept, active or retired\n" },
	{ "state_case", KEYFILE_BOX, "1 Active " K1 "\n",
	  "F:1: the state is 'Active': it must be accept, active or retired\n" },
	{ "state_is_key", KEYFILE_BOX, "1 " K1 " active\n",
	  "F:1: the state has 64 characters: it must be accept, active or retired\n" },
	{ "key_short", KEYFILE_BOX, "1 active 0123\n",
	  "F:1: the key has 4 characters: it must have 64 hex digits\n" },
	{ "key_long", KEYFILE_BOX, "1 active " K1 "0\n",
	  "F:1: the key has 65 characters: it must have 64 hex digits\n" },
	{ "key_zeros", KEYFILE_BOX, "1 active " ZERO "\n",
	  "F:1: the key is all zeros: 'nstkeyctl genkey' makes one\n" },
	{ "kid_twice", KEYFILE_BOX, "1 active " K1 "\n#\n1 accept " K2 "\n",
	  "F:3: kid 1 is on line 1 already: take another\n" },
	{ "active_twice", KEYFILE_BOX, "1 active " K1 "\n2 active " K2 "\n",
	  "F:2: active, as line 1 is: make one 'accept'\n" },
	{ "active_none", KEYFILE_BOX, "1 accept " K1 "\n2 retired " K2 "\n",
	  "F: no key is active: make one of them 'active'\n" },
	{ "key_second", KEYFILE_KEY, "1 accept " K1 "\n2 accept " K2 "\n",
	  "F:2: a second key: only 'load' takes a whole box\n" },
};

static int parse(struct keyfile *file, const char *text, size_t len,
		 enum keyfile_kind kind)
{
	/* A copy of its exact size: ASan sees a read beyond it. */
	char *copy = malloc(len);
	int err;

	memcpy(copy, text, len);
	file->nr = 0;
	listen();
	err = keyfile_parse(file, "F", copy, len, kind);
	listened();
	free(copy);
	return err;
}

static void test_bad(struct keyfile *file)
{
	char name[64];
	unsigned int i;
	size_t len;
	int err;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		len = strlen(bad[i].text);
		err = parse(file, bad[i].text, len, bad[i].kind);
		snprintf(name, sizeof(name), "keyfile_parse__%s", bad[i].name);
		verdict(err == -1 && !strcmp(said, bad[i].message), name);
		if (!len || bad[i].text[len - 1] != '\n')
			continue;
		/* The last line may lack its end, and end as on other systems. */
		err = parse(file, bad[i].text, len - 1, bad[i].kind);
		snprintf(name, sizeof(name), "keyfile_parse__%s_no_newline",
			 bad[i].name);
		verdict(err == -1 && !strcmp(said, bad[i].message), name);
	}
	err = parse(file, "1 active \0", 10, KEYFILE_BOX);
	verdict(err == -1 && strstr(said, "F:1: a zero byte"),
		"keyfile_parse__zero_byte");
}

/* Every byte that is no hex digit, in the first and in the last place. */
static void test_digits(struct keyfile *file)
{
	char line[] = "1 active " K1 "\n";
	unsigned int c, wrong = 0;
	size_t place[] = { 9, 9 + 63 }, i;
	int err, digit;
	char old;

	for (i = 0; i < 2; i++) {
		old = line[place[i]];
		for (c = 1; c < 256; c++) {
			if (strchr("\n\t\r #", c))
				continue;
			line[place[i]] = c;
			digit = !!strchr("0123456789abcdefABCDEF", c);
			err = parse(file, line, sizeof(line) - 1, KEYFILE_BOX);
			wrong += digit ? err : !err;
			wrong += !digit &&
				 !strstr(said, "F:1: the key has a character");
		}
		line[place[i]] = old;
	}
	verdict(!wrong, "keyfile_parse__hex_digits");
}

static void test_good(struct keyfile *file)
{
	static const char text[] =
		"# a box\r\n\n \t\n"
		"  65535\tactive   " K1 " # the first\n"
		"1 retired " K2 "\r\n"
		"00002 accept " K1;
	unsigned int i, wrong = 0;
	int err = parse(file, text, sizeof(text) - 1, KEYFILE_BOX);

	verdict(!err && !said[0] && file->nr == 3, "keyfile_parse__box");
	verdict(file->key[0].kid == 65535 && file->key[1].kid == 1 &&
		file->key[2].kid == 2, "keyfile_parse__kids");
	verdict(file->key[0].state == NST_STATE_ACTIVE &&
		file->key[1].state == NST_STATE_RETIRED &&
		file->key[2].state == NST_STATE_ACCEPT,
		"keyfile_parse__states");
	verdict(file->key[0].line == 4 && file->key[1].line == 5 &&
		file->key[2].line == 6, "keyfile_parse__lines");
	for (i = 0; i < NST_KEY_SIZE; i++)
		wrong += file->key[0].secret[i] != i % 16 * 0x11;
	verdict(!wrong, "keyfile_parse__secret");
	err = parse(file, "9 accept " K1 "\n", strlen("9 accept " K1 "\n"),
		    KEYFILE_KEY);
	verdict(!err && file->nr == 1, "keyfile_parse__key");
}

/* As many keys as a box holds, and one more. */
static void test_full(struct keyfile *file)
{
	size_t size = (NST_BOX_MAX + 1) * 80, len = 0;
	char *text = malloc(size);
	unsigned int i;
	size_t full;
	int err;

	for (i = 1; i <= NST_BOX_MAX; i++)
		len += snprintf(text + len, size - len, "%u %s %s\n", i,
				i == 5 ? "active" : "accept", K1);
	full = len;
	len += snprintf(text + len, size - len, "%u accept %s\n", i, K1);
	err = parse(file, text, full, KEYFILE_BOX);
	verdict(!err && file->nr == NST_BOX_MAX, "keyfile_parse__full");
	err = parse(file, text, len, KEYFILE_BOX);
	verdict(err == -1 && !strcmp(said, "F:1025: too many keys: a box has room for 1024\n"),
		"keyfile_parse__too_many");
	free(text);
}

/* No message holds eight digits of a key that follow each other. */
static void test_secrecy(struct keyfile *file)
{
	static const char line[] = "1 active " K1 "\n";
	char text[sizeof(line)];
	unsigned int wrong = 0;
	size_t cut, i;

	for (cut = 1; cut < sizeof(line) - 2; cut++) {
		memcpy(text, line, sizeof(line));
		text[cut] = '!';
		(void)parse(file, text, sizeof(line) - 1, KEYFILE_BOX);
		text[cut] = ' ';
		parse(file, text, sizeof(line) - 1, KEYFILE_BOX);
		for (i = 0; i + 8 <= 64; i++) {
			char part[9] = { 0 };

			memcpy(part, &K1[i], 8);
			wrong += !!strstr(said, part);
		}
	}
	verdict(!wrong, "keyfile_parse__quotes_no_key");
}

static int read_file(struct keyfile *file, const char *path)
{
	int err;

	file->nr = 0;
	listen();
	err = keyfile_read(file, path, KEYFILE_BOX);
	listened();
	return err;
}

/* What was written is what is read; modes; files too long. */
static void test_files(struct keyfile *file, struct keyfile *again)
{
	char path[64];
	unsigned int i, wrong = 0;
	int fd, err;

	snprintf(path, sizeof(path), "%s/box", dir);
	for (file->nr = 0; file->nr < 3; file->nr++) {
		file->key[file->nr].kid = 100 - file->nr;
		file->key[file->nr].state = file->nr ? file->nr - 1 :
						       NST_STATE_RETIRED;
		wrong += keyfile_random(file->key[file->nr].secret) != 0;
	}
	wrong += !memcmp(file->key[0].secret, file->key[1].secret,
			 NST_KEY_SIZE);
	verdict(!wrong, "keyfile_random__differs");
	umask(0);
	err = keyfile_save(file, path, 0);
	verdict(!err && !read_file(again, path) && !said[0],
		"keyfile_save__readable");
	for (i = 0; i < 3; i++)
		wrong += again->key[i].kid != file->key[i].kid ||
			 again->key[i].state != file->key[i].state ||
			 memcmp(again->key[i].secret, file->key[i].secret,
				NST_KEY_SIZE);
	verdict(again->nr == 3 && !wrong, "keyfile_save__same_keys");
	listen();
	err = keyfile_save(file, path, 0);
	listened();
	verdict(err && strstr(said, "is there already"),
		"keyfile_save__exists");
	verdict(!keyfile_save(file, path, 1) && !read_file(again, path) &&
		again->nr == 3, "keyfile_save__force");
	chmod(path, 0640);
	verdict(read_file(again, path) == -1 &&
		strstr(said, "others have access (mode 0640)"),
		"keyfile_read__mode");
	verdict(read_file(again, dir) == -1 && strstr(said, "is a directory"),
		"keyfile_read__directory");
	chmod(path, 0600);
	fd = open(path, O_WRONLY | O_TRUNC);
	verdict(fd >= 0 && !ftruncate(fd, KEYFILE_SIZE_MAX + 1) &&
		read_file(again, path) == -1 &&
		strstr(said, "longer than 1048576 bytes"),
		"keyfile_read__too_long");
	close(fd);
	unlink(path);
	verdict(read_file(again, path) == -1 &&
		strstr(said, strerror(ENOENT)), "keyfile_read__missing");
}

int main(void)
{
	struct keyfile *file = keyfile_alloc(), *again = keyfile_alloc();
	char path[64];

	strcpy(dir, "/tmp/unit_keyfile.XXXXXX");
	if (!mkdtemp(dir)) {
		perror("Bail out! mkdtemp");
		return 1;
	}
	test_bad(file);
	test_digits(file);
	test_good(file);
	test_full(file);
	test_secrecy(file);
	test_files(file, again);
	keyfile_free(file);
	keyfile_free(again);
	snprintf(path, sizeof(path), "%s/stderr", dir);
	unlink(path);
	rmdir(dir);
	printf("1..%u\n", number);
	return failed;
}
