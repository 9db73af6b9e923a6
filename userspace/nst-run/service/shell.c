// SPDX-License-Identifier: GPL-2.0
/*
 * Words of ExecStart=, told so that who pastes them into a shell gets the same
 * words; and where one command there ends and another begins.
 */
#include <string.h>
#include "shell.h"

#define BLANK		" \t\r\n"

static int is_plain(const char *word, size_t len)
{
	static const char as_is[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,/:@+=";
	size_t i;

	for (i = 0; i < len; i++)
		if (!word[i] || !strchr(as_is, word[i]))
			return 0;
	return len > 0;
}

static int is_printable(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (word[i] < ' ' || word[i] > '~')
			return 0;
	return 1;
}

/* Bytes that a terminal might take for orders: $'\x1b', which bash and zsh know. */
static void put_bytes(struct text *to, const char *word, size_t len)
{
	size_t i;

	text_add(to, "$'");
	for (i = 0; i < len; i++) {
		if (is_plain(word + i, 1)) {
			text_bytes(to, word + i, 1);
		} else {
			text_add(to, "\\x");
			text_hex(to, word + i, 1);
		}
	}
	text_add(to, "'");
}

/**
 * shell_word() - a word as a shell takes it back
 * @to: it is added there
 * @word: any bytes
 * @len: how many
 */
void shell_word(struct text *to, const char *word, size_t len)
{
	size_t i;

	if (is_plain(word, len)) {
		text_bytes(to, word, len);
		return;
	}
	if (!is_printable(word, len)) {
		put_bytes(to, word, len);
		return;
	}
	text_add(to, "'");
	for (i = 0; i < len; i++) {
		if (word[i] == '\'')
			text_add(to, "'\\''");
		else
			text_bytes(to, word + i, 1);
	}
	text_add(to, "'");
}

/*
 * What put_word() of dropin.c has made of a word, taken back. @word is written
 * over. Return: its length.
 */
static size_t take_back(char *word, size_t len, int plain)
{
	size_t from, to = 0;

	for (from = 0; from < len; from++, to++) {
		word[to] = word[from];
		if (word[from] == '\\' && from + 3 < len &&
		    word[from + 1] == 'x' &&
		    !text_unhex(word + to, word + from + 2, 1))
			from += 3;
		else if (from + 1 < len && word[from + 1] == word[from] &&
			 (word[from] == '%' || (word[from] == '$' && !plain)))
			from++;
	}
	return to;
}

/**
 * shell_words() - words of a drop-in of ours, for a shell
 * @to: they are added there, with a blank between
 * @words: as ExecStart= has them, without quotes; is written over
 * @plain: $ has no meaning there
 */
void shell_words(struct text *to, char *words, int plain)
{
	size_t len;

	for (words += strspn(words, BLANK); *words;
	     words += strspn(words, BLANK)) {
		len = strcspn(words, BLANK);
		if (to->len)
			text_add(to, " ");
		shell_word(to, words, take_back(words, len, plain));
		words += len;
	}
}

/* Behind a word, of which quotes and what a backslash stands before are parts. */
static const char *skip_word(const char *at)
{
	char quote = 0;

	for (; *at && (quote || !strchr(BLANK, *at)); at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (quote)
			quote = *at == quote ? 0 : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
	}
	return at;
}

/**
 * shell_several() - are these several commands?
 * @command: of ExecStart=, where a semicolon that is a word parts two
 *
 * Return: 1 or 0.
 */
int shell_several(const char *command)
{
	const char *at = command + strspn(command, BLANK), *end;

	while (*at) {
		end = skip_word(at);
		if (end - at == 1 && *at == ';' && end[strspn(end, BLANK)])
			return 1;
		at = end + strspn(end, BLANK);
	}
	return 0;
}
