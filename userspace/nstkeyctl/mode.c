// SPDX-License-Identifier: GPL-2.0
/* Whether the module is there, and what keeps it or its suites away. */
#include <linux/nst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "mode.h"

/**
 * read_line() - the first line of a small file
 * @path: of the file
 * @text: receives it
 * @size: of @text
 *
 * Return: 0, or -1 if it cannot be read.
 */
int read_line(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	char *got;

	if (!f)
		return -1;
	got = fgets(text, size, f);
	fclose(f);
	return got ? 0 : -1;
}

/* What a file that says 1, or Y, says; 0 if there is none. */
static int flag(const char *path)
{
	char text[32];

	return !read_line(path, text, sizeof(text)) &&
	       (text[0] == '1' || text[0] == 'Y');
}

/* The kernel was started with this word. */
static int asked_at_boot(const char *option)
{
	char line[4096], *save, *word;

	if (read_line("/proc/cmdline", line, sizeof(line)))
		return 0;
	word = strtok_r(line, "\n ", &save);
	while (word && strcmp(word, option))
		word = strtok_r(NULL, "\n ", &save);
	return !!word;
}

/**
 * mode_get() - find out what restrains this kernel
 * @mode: receives it; what the system does not show counts as off
 */
void mode_get(struct mode *mode)
{
	char text[64];

	mode->fips = flag("/proc/sys/crypto/fips_enabled");
	mode->no_fips = access("/proc/sys/crypto/fips_enabled", F_OK) &&
			asked_at_boot("fips=1");
	mode->signed_only = flag("/sys/module/module/parameters/sig_enforce");
	mode->no_modules = flag("/proc/sys/kernel/modules_disabled");
	mode->lockdown = !read_line("/sys/kernel/security/lockdown", text,
				    sizeof(text)) && !strstr(text, "[none]");
}

/**
 * mode_forbids() - is a suite missing because of FIPS mode?
 * @mode: from mode_get()
 * @suite: NST_CIPHER_*
 *
 * Return: 1 if the mode does not allow it.
 */
int mode_forbids(const struct mode *mode, uint32_t suite)
{
	return mode->fips && (suite == NST_CIPHER_SM4_GCM ||
			      suite == NST_CIPHER_SM4_CBC ||
			      suite == NST_CIPHER_CHACHA20_POLY1305);
}

/**
 * module_loaded() - is nst_ulp there? Without loading it
 *
 * Return: 1 or 0.
 */
int module_loaded(void)
{
	return !access("/sys/module/nst_ulp", F_OK);
}

/* Is it installed for this kernel? 1, 0, or -1 if that cannot be told. */
static int installed(const char *release)
{
	char path[256], line[512];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (!found && fgets(line, sizeof(line), f))
		found = !!strstr(line, "nst_ulp.ko");
	fclose(f);
	return found;
}

/**
 * module_absence() - why nst_ulp is not loaded, and the way out
 * @mode: from mode_get()
 * @text: receives the sentence
 * @size: of @text
 */
void module_absence(const struct mode *mode, char *text, size_t size)
{
	struct utsname uts;

	uname(&uts);
	if (mode->no_modules)
		snprintf(text, size,
			 "nst_ulp is not loaded, and kernel.modules_disabled is 1: nothing can be loaded before the next boot; name nst_ulp in /etc/modules-load.d");
	else if (!installed(uts.release))
		snprintf(text, size,
			 "nst_ulp is not loaded, and not installed for kernel %s: 'make install' or 'make dkms', then 'modprobe nst_ulp'",
			 uts.release);
	else if (mode->lockdown || mode->signed_only)
		snprintf(text, size,
			 "nst_ulp is not loaded, and this kernel takes only signed modules (%s): sign it with a key that the kernel trusts, as DKMS does once its key is enrolled ('mokutil --import'), then 'modprobe nst_ulp'",
			 mode->lockdown ? "lockdown" : "module.sig_enforce");
	else
		snprintf(text, size,
			 "nst_ulp is not loaded: 'modprobe nst_ulp'; to have it after each boot, name it in /etc/modules-load.d");
}
