// SPDX-License-Identifier: GPL-2.0
/* genkey, genbox: making keys. Nothing here talks to the kernel's NST. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keyfile.h"
#include "nstkeyctl.h"

/* Standard output may go to a file that others can read: say so, as wg does. */
static void warn_readable(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) &&
	    st.st_mode & 077)
		fputs("nstkeyctl: warning: others have access to the file the keys go to\n"
		      "and 'load' will not take it: 'umask 077', or name it as an argument\n",
		      stderr);
}

/* @path: NULL or "-": standard output */
static int write_keys(const struct keyfile *file, const char *path, int force)
{
	int err;

	if (!path || !strcmp(path, "-")) {
		warn_readable();
		err = keyfile_write(file, STDOUT_FILENO, "stdout");
	} else {
		err = keyfile_save(file, path, force);
	}
	return err ? EXIT_FAILED : EXIT_OK;
}

static int make_keys(struct keyfile *file, unsigned int nr, unsigned int kid,
		     enum nst_state first, enum nst_state rest)
{
	for (file->nr = 0; file->nr < nr; file->nr++) {
		struct keyline_key *key = &file->key[file->nr];

		key->kid = kid + file->nr;
		key->state = file->nr ? rest : first;
		if (keyfile_random(key->secret))
			return -1;
	}
	return 0;
}

/* genkey KID [STATE [FILE]] */
int cmd_genkey(const struct options *opt, char **args)
{
	enum nst_state state = NST_STATE_ACCEPT;
	struct keyfile *file;
	int status = EXIT_FAILED;
	uint16_t kid;

	if (keyline_kid(args[0], strlen(args[0]), &kid)) {
		fprintf(stderr, "nstkeyctl: kid '%s': it must be a number from 1 to 65535\n",
			args[0]);
		return EXIT_USAGE;
	}
	if (args[1] && keyline_state(args[1], strlen(args[1]), &state)) {
		fprintf(stderr, "nstkeyctl: state '%s': it must be accept, active or retired\n",
			args[1]);
		return EXIT_USAGE;
	}
	file = keyfile_alloc();
	if (!make_keys(file, 1, kid, state, state))
		status = write_keys(file, args[1] ? args[2] : NULL, opt->force);
	keyfile_free(file);
	return status;
}

/* genbox [FILE] */
int cmd_genbox(const struct options *opt, char **args)
{
	struct keyfile *file = keyfile_alloc();
	int status = EXIT_FAILED;

	if (!make_keys(file, opt->keys, 1, NST_STATE_ACTIVE, NST_STATE_ACCEPT))
		status = write_keys(file, args[0], opt->force);
	keyfile_free(file);
	return status;
}
