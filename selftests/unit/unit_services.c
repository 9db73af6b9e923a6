// SPDX-License-Identifier: GPL-2.0
/*
 * Of "nst-run enable" what needs no systemd: where one command ends and another
 * begins, options told so that a shell takes them back, and directories that are
 * links. A program of user space, without the shim.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "service/dropin.h"
#include "service/shell.h"

static unsigned int number;
static int failed;

static void verdict(int good, const char *name)
{
	number++;
	failed |= !good;
	printf("%sok %u %s\n", good ? "" : "not ", number, name);
}

static void try_several(void)
{
	static const struct {
		const char *command;
		int several;
	} tries[] = {
		{ "/bin/true ; /bin/false", 1 },
		{ "/bin/true\t;\t/bin/false", 1 },
		{ "/bin/sh -c 'echo a' ; /bin/false", 1 },
		{ "/bin/sh -c 'echo a ; exec sleep 9'", 0 },
		{ "/bin/sh -c \"echo a ; echo 'b' ; exec sleep 9\"", 0 },
		{ "/bin/sh -c \"echo \\\" ; exec sleep 9\"", 0 },
		{ "/bin/echo \\; a", 0 },
		{ "/bin/echo a\\ ; b", 0 },
		{ "/bin/echo ';' b", 0 },
		{ "/bin/echo a; b ;c", 0 },
		{ "/bin/true ;", 0 },
		{ "/bin/true 'never closed ; x", 0 },
		{ "/bin/true \\", 0 },
		{ "", 0 },
	};
	unsigned int i;
	char name[128];

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		snprintf(name, sizeof(name), "%s command: %s",
			 tries[i].several ? "several" : "one", tries[i].command);
		verdict(shell_several(tries[i].command) == tries[i].several,
			name);
	}
}

static void try_line(const char *line, const char *expected)
{
	char options[256], name[512];

	dropin_options(line, options, sizeof(options));
	snprintf(name, sizeof(name), "%s -> %s", line, expected);
	verdict(!strcmp(options, expected), name);
	if (strcmp(options, expected))
		printf("# %s\n", options);
}

static void try_options(void)
{
	try_line("/usr/bin/nst-run --tcp 80 --strict -- /bin/x --y -- z",
		 "--tcp 80 --strict");
	try_line("-/usr/bin/nst-run --tcp 1,2-9 --context a\\x20b%%c$$d -- x",
		 "--tcp 1,2-9 --context 'a b%c$d'");
	try_line(":/usr/bin/nst-run --context a$$b\\x27c -- x",
		 "--context 'a$$b'\\''c'");
	try_line("/usr/bin/nst-run --context \\x1b\\x5bm\\xc3x -- x",
		 "--context $'\\x1b\\x5bm\\xc3x'");
	try_line("/usr/bin/nst-run --context \\x5cx41 -- x",
		 "--context '\\x41'");
	try_line("/usr/bin/nst-run --context \\xzz\\x4 -- x",
		 "--context '\\xzz\\x4'");
	try_line("/bin/x --y", "");
}

/* A buffer that is too small ends within its bounds. */
static void try_small(void)
{
	char room[64], options[16];

	memset(room, 'x', sizeof(room));
	strcpy(room, "/x --context ");
	memset(room + 13, 'a', 40);
	strcpy(room + 53, " -- z");
	dropin_options(room, options, sizeof(options));
	verdict(strlen(options) == sizeof(options) - 1, "what is too long is cut");
}

static void try_places(void)
{
	char dir[] = "/tmp/nst.XXXXXX", path[64], link[64], file[96];

	if (!mkdtemp(dir))
		exit(4);
	snprintf(path, sizeof(path), "%s/common.d", dir);
	snprintf(link, sizeof(link), "%s/a.service.d", dir);
	mkdir(path, 0755);
	verdict(!symlink("common.d", link), "a directory that is a link");
	snprintf(file, sizeof(file), "%s/zz-nst.conf", link);
	verdict(dropin_check_place(file) == -ELOOP, "is refused");
	verdict(!dropin_write(file, "x\n") && !dropin_remove(file),
		"what was put there before is removed without an error");
	verdict(!access(link, F_OK), "and the link stays");
	unlink(link);
	verdict(!dropin_check_place(file), "none at all is well");
	verdict(!mkdir(link, 0755) && !dropin_check_place(file),
		"its own is, too");
	rmdir(link);
	close(creat(link, 0600));
	verdict(dropin_check_place(file) == -ENOTDIR, "a file is not");
	unlink(link);
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	try_several();
	try_options();
	try_small();
	try_places();
	printf("1..%u\n", number);
	return failed;
}
