// SPDX-License-Identifier: GPL-2.0
/*
 * A policy, and the one way to write it:
 *
 *   1 tcp=80,5000-5010 udp=53 cipher=1 strict let context=6563686f
 *
 * What is not there is left out, but for cipher. Whatever differs from what
 * policy_write() makes of the same policy is refused, so there is nothing to
 * guess about a word that is missing, doubled or unknown.
 */
#include <errno.h>
#include <string.h>
#include "policy.h"
#include "text.h"

static const char * const ciphers[] = {
	[NST_CIPHER_AES_GCM] = "aes-gcm",
	[NST_CIPHER_AES_CBC] = "aes-cbc",
	[NST_CIPHER_SM4_GCM] = "sm4-gcm",
	[NST_CIPHER_SM4_CBC] = "sm4-cbc",
	[NST_CIPHER_AES_256_GCM] = "aes-256-gcm",
	[NST_CIPHER_AES_256_CBC] = "aes-256-cbc",
	[NST_CIPHER_CHACHA20_POLY1305] = "chacha20-poly1305",
};

#define NR_CIPHERS	(sizeof(ciphers) / sizeof(ciphers[0]))

/**
 * policy_cipher() - a suite by its name
 * @name: as nstkeyctl caps has it
 *
 * Return: NST_CIPHER_*, or -EINVAL.
 */
int policy_cipher(const char *name)
{
	unsigned int i;

	for (i = 1; i < NR_CIPHERS; i++)
		if (!strcmp(ciphers[i], name))
			return i;
	return -EINVAL;
}

/**
 * policy_cipher_name() - the name of a suite
 * @cipher: NST_CIPHER_*
 *
 * Return: it, or NULL.
 */
const char *policy_cipher_name(unsigned int cipher)
{
	return cipher && cipher < NR_CIPHERS ? ciphers[cipher] : NULL;
}

/* Of protocol.md, 8, and of <nst/exchange.h>, which not everybody here needs. */
static const struct {
	uint16_t group;
	const char *name;
} groups[] = {
	{ 0x001d, "x25519" },
	{ 0x11ec, "x25519mlkem768" },
};

#define NR_GROUPS	(sizeof(groups) / sizeof(groups[0]))

/**
 * policy_group() - a way to exchange keys by its name
 * @name: as --forward-secret has it
 *
 * Return: NST_GROUP_*, or 0.
 */
uint16_t policy_group(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_GROUPS; i++)
		if (!strcasecmp(groups[i].name, name))
			return groups[i].group;
	return 0;
}

/**
 * policy_group_name() - the name of one
 * @group: NST_GROUP_*
 *
 * Return: it, or NULL.
 */
const char *policy_group_name(uint16_t group)
{
	unsigned int i;

	for (i = 0; i < NR_GROUPS; i++)
		if (groups[i].group == group)
			return groups[i].name;
	return NULL;
}

/**
 * policy_init() - a policy of no ports
 * @policy: becomes it
 */
void policy_init(struct policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->cipher = NST_CIPHER_AES_GCM;
}

/* What follows @key in a word, or NULL if it is another word. */
static const char *value_of(const char *word, size_t len, const char *key,
			    size_t *value_len)
{
	size_t n = strlen(key);

	if (len < n || memcmp(word, key, n))
		return NULL;
	*value_len = len - n;
	return word + n;
}

static int read_context(struct policy *policy, const char *hex, size_t len)
{
	if (!len || len % 2 || len / 2 > NST_CONTEXT_MAX)
		return -EINVAL;
	policy->context_len = len / 2;
	return text_unhex(policy->context, hex, len / 2);
}

static int read_word(struct policy *policy, const char *word, size_t len)
{
	const char *value;
	size_t n;

	value = value_of(word, len, "tcp=", &n);
	if (value)
		return ports_read(&policy->tcp, value, n);
	value = value_of(word, len, "udp=", &n);
	if (value)
		return ports_read(&policy->udp, value, n);
	value = value_of(word, len, "context=", &n);
	if (value)
		return read_context(policy, value, n);
	value = value_of(word, len, "cipher=", &n);
	if (value && n == 1 && value[0] > '0' && value[0] < '0' + (int)NR_CIPHERS)
		policy->cipher = value[0] - '0';
	else if (value_of(word, len, "strict", &n))
		policy->strict = 1;
	else if (value_of(word, len, "let", &n))
		policy->let = 1;
	else if (!value_of(word, len, "1", &n))
		return -EINVAL;
	return 0;
}

/**
 * policy_read() - what policy_write() wrote
 * @policy: receives it
 * @text: it, from where anybody may have put it
 *
 * Return: 0, or -EINVAL if it is anything else, or has no ports.
 */
int policy_read(struct policy *policy, const char *text)
{
	char again[POLICY_TEXT];
	const char *word = text;
	size_t len;

	policy_init(policy);
	if (strnlen(text, POLICY_TEXT) == POLICY_TEXT)
		return -EINVAL;
	for (;; word += len + 1) {
		len = strcspn(word, " ");
		if (read_word(policy, word, len))
			return -EINVAL;
		if (!word[len])
			break;
	}
	policy_write(policy, again, sizeof(again));
	if (strcmp(text, again) || (!policy->tcp.nr && !policy->udp.nr))
		return -EINVAL;
	return 0;
}

static void write_ports(struct text *text, const char *key,
			const struct ports *ports)
{
	char list[PORTS_TEXT];

	if (!ports->nr)
		return;
	ports_write(ports, list, sizeof(list));
	text_add(text, key);
	text_add(text, list);
}

/**
 * policy_write() - a policy in words
 * @policy: it
 * @text: receives them
 * @size: of @text; POLICY_TEXT is always enough
 *
 * Return: their length.
 */
size_t policy_write(const struct policy *policy, char *text, size_t size)
{
	struct text t = { .buf = text, .size = size };

	text_add(&t, "1");
	write_ports(&t, " tcp=", &policy->tcp);
	write_ports(&t, " udp=", &policy->udp);
	text_add(&t, " cipher=");
	text_number(&t, policy->cipher);
	if (policy->strict)
		text_add(&t, " strict");
	if (policy->let)
		text_add(&t, " let");
	if (policy->context_len) {
		text_add(&t, " context=");
		text_hex(&t, policy->context, policy->context_len);
	}
	return t.len;
}
