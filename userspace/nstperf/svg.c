// SPDX-License-Identifier: GPL-2.0
/* Pictures in SVG. Lines differ by dashes and marks, bars by their names alone. */
#include <ctype.h>
#include <math.h>
#include <string.h>
#include "svg.h"

#define WIDTH		440
#define BAR_HEIGHT	35
#define PLOT_HEIGHT	300
#define LEFT		78
#define RIGHT		20
#define INSIDE		10
#define TOP		14
#define BOTTOM		40
#define MODES_MAX	32

const char svg_style[] =
	".bar{fill:#bbb;stroke:#111}.nst{fill:#111}.more{fill:#fff;stroke:#111;\n"
	"stroke-dasharray:3 2}.spread{stroke:#111;stroke-width:1.5;fill:none}\n"
	".nst+.spread{stroke:#777}.end{text-anchor:end}.middle{text-anchor:middle}\n"
	".line{fill:none;stroke:#111;stroke-width:2}.hollow{fill:#fff;stroke:#111;\n"
	"stroke-width:1.5}.grid{stroke:#ccc}";

static bool alone;

void svg_alone(bool file)
{
	alone = file;
}

/* A picture of its own brings its style along, and its paper. */
static void begin(FILE *to, const char *title, unsigned int height)
{
	fprintf(to, "<svg viewBox=\"0 0 %d %u\" role=\"img\"", WIDTH, height);
	if (alone)
		fprintf(to, " xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\"\n"
			"font-family=\"system-ui,sans-serif\" font-size=\"13\"",
			WIDTH, height);
	fputs("><title>", to);
	svg_text(to, title);
	fputs("</title>\n", to);
	if (alone)
		fprintf(to, "<style>%s</style>\n"
			"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
			svg_style);
}

void svg_text(FILE *to, const char *text)
{
	for (text = text ?: ""; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '&':
			fputs("&amp;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		default:
			fputc(iscntrl((unsigned char)*text) ? '?' : *text, to);
		}
}

const char *svg_number(double value, char buf[32])
{
	static const struct {
		double unit;
		const char *prefix;
	} scales[] = {
		{ 1e9, " G" }, { 1e6, " M" }, { 1e3, " k" }, { 1, " " },
		{ 1e-3, " m" }, { 1e-6, " u" }, { 1e-9, " n" },
	};
	unsigned int i = value ? 0 : 3;
	double v;

	while (value && i < 6 && fabs(value) < scales[i].unit)
		i++;
	v = value / scales[i].unit;
	snprintf(buf, 32, "%.*f%s", fabs(v) >= 100 ? 0 : fabs(v) >= 10 ? 1 : 2,
		 v, scales[i].prefix);
	return buf;
}

/* The smallest of 1, 2 and 5 times a power of ten that is not below. */
static double round_up(double value)
{
	double p;

	if (value <= 0)
		return 1;
	p = pow(10, floor(log10(value)));
	return value <= p ? p : value <= 2 * p ? 2 * p :
	       value <= 5 * p ? 5 * p : 10 * p;
}

/* Where a bar's spread is, and its ends. */
static void draw_spread(FILE *to, double from, double end, unsigned int y)
{
	fprintf(to, "<path class=\"spread\" d=\"M%.1f %uV%uM%.1f %uH%.1fM%.1f %uV%u\"/>",
		from, y + 18, y + 27, from, y + 22, end, end, y + 18, y + 27);
}

static void draw_value(FILE *to, double value, const char *unit, unsigned int y)
{
	char buf[32];

	fprintf(to, "<text class=\"end\" x=\"%d\" y=\"%u\">%s%s</text>\n",
		WIDTH, y, svg_number(value, buf), unit);
}

static double most_of(const struct cell *cells, unsigned int nr,
		      enum quantity quantity)
{
	double max = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		max = fmax(max, cell_max(&cells[i], quantity));
	return max;
}

void svg_bars(FILE *to, const char *title, const struct cell *cells,
	      unsigned int nr, enum quantity quantity, enum quantity more,
	      const char *unit)
{
	bool two = more != quantity && most_of(cells, nr, more) > 0;
	double scale = fmax(most_of(cells, nr, quantity), two ?
			    most_of(cells, nr, more) : 0);
	unsigned int i, y, height = BAR_HEIGHT + (two ? 16 : 0);

	scale = (WIDTH - 90) / (scale > 0 ? scale : 1);
	begin(to, title, nr * height + 6);
	for (i = 0; i < nr; i++) {
		y = i * height + 4;
		fprintf(to, "<rect class=\"bar%s\" x=\"0\" y=\"%u\" width=\"%.1f\" height=\"11\"/>",
			strncmp(cells[i].mode, "nst", 3) ? "" : " nst", y + 17,
			scale * cell_median(&cells[i], quantity));
		draw_spread(to, scale * cell_min(&cells[i], quantity),
			    scale * cell_max(&cells[i], quantity), y);
		fprintf(to, "<text x=\"0\" y=\"%u\">", y + 11);
		svg_text(to, cells[i].mode);
		fprintf(to, "%s</text>", cells[i].instead ? " *" : "");
		draw_value(to, cell_median(&cells[i], quantity), unit, y + 27);
		if (!two || !cell_has(&cells[i], more))
			continue;
		fprintf(to, "<rect class=\"more\" x=\"0\" y=\"%u\" width=\"%.1f\" height=\"9\"/>",
			y + 32, scale * cell_median(&cells[i], more));
		draw_value(to, cell_median(&cells[i], more), unit, y + 42);
	}
	fputs("</svg>\n", to);
}

/* A plot's frame, and where values are in it. */
struct plot {
	FILE *to;
	double min_x, max_x, max_y;
	bool log_y;
	double min_y;
};

static double at_x(const struct plot *p, double x)
{
	double span = p->max_x - p->min_x;

	return LEFT + INSIDE + (WIDTH - LEFT - RIGHT - 2 * INSIDE) *
		(span > 0 ? (x - p->min_x) / span : 0.5);
}

static double at_y(const struct plot *p, double y)
{
	double h = PLOT_HEIGHT - TOP - BOTTOM, part = y / p->max_y;

	if (p->log_y)
		part = log(fmax(y, p->min_y) / p->min_y) /
			log(p->max_y / p->min_y);
	return PLOT_HEIGHT - BOTTOM - h * part;
}

/* Round ends, of what is in @min_y and @max_y. */
static void set_scale(struct plot *p)
{
	if (!p->log_y) {
		p->max_y = round_up(p->max_y);
		return;
	}
	p->min_y = pow(10, floor(log10(p->min_y)));
	p->max_y = pow(10, ceil(log10(p->max_y)));
	if (p->max_y <= p->min_y)
		p->max_y = p->min_y * 10;
}

static void grid_line(const struct plot *p, double y, const char *unit)
{
	char buf[32];

	fprintf(p->to, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n"
		"<text class=\"end\" x=\"%d\" y=\"%.1f\">%s%s</text>\n",
		LEFT, at_y(p, y), WIDTH - RIGHT, LEFT - 5, at_y(p, y) + 4,
		svg_number(y, buf), unit);
}

static void begin_plot(const struct plot *p, const char *title,
		       unsigned int legend, const char *unit)
{
	double y;
	int i;

	begin(p->to, title, PLOT_HEIGHT + legend * 20);
	if (p->log_y) {
		for (y = p->min_y; y <= p->max_y * 1.001; y *= 10)
			grid_line(p, y, unit);
		return;
	}
	for (i = 0; i <= 4; i++)
		grid_line(p, p->max_y * i / 4, unit);
}

static void x_label(const struct plot *p, double x, const char *text)
{
	fprintf(p->to, "<text class=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n",
		at_x(p, x), PLOT_HEIGHT - BOTTOM + 18, text);
}

/* The @nr-th line's own dashes, and its mark at a point. */
static void line_style(FILE *to, unsigned int nr)
{
	static const char * const dashes[] = {
		"", "8 3", "2 3", "8 3 2 3", "14 4", "1 5", "14 4 2 4",
	};

	fprintf(to, " stroke-dasharray=\"%s\"", dashes[nr % 7]);
}

static void mark_point(FILE *to, unsigned int nr, double x, double y)
{
	switch (nr % 4) {
	case 0:
		fprintf(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", x, y);
		break;
	case 1:
		fprintf(to, "<path class=\"hollow\" d=\"M%.1f %.1fh8v8h-8z\"/>",
			x - 4, y - 4);
		break;
	case 2:
		fprintf(to, "<path d=\"M%.1f %.1fl5 9h-10z\"/>", x, y - 5);
		break;
	default:
		fprintf(to, "<path class=\"hollow\" d=\"M%.1f %.1fl5 5l-5 5l-5 -5z\"/>",
			x, y - 5);
	}
}

static void legend(FILE *to, unsigned int nr, const char *name)
{
	double x = LEFT, y = PLOT_HEIGHT + nr * 20 + 4;

	fprintf(to, "<path class=\"line\" d=\"M%.1f %.1fh40\"", x, y);
	line_style(to, nr);
	fputs("/>", to);
	mark_point(to, nr, x + 20, y);
	fprintf(to, "<text x=\"%.1f\" y=\"%.1f\">", x + 48, y + 4);
	svg_text(to, name);
	fputs("</text>\n", to);
}

/* Names of the modes among cells, each once. */
static unsigned int modes_of(const struct cell *cells, unsigned int nr,
			     const char *modes[MODES_MAX])
{
	unsigned int i, m, n = 0;

	for (i = 0; i < nr; i++) {
		for (m = 0; m < n && strcmp(modes[m], cells[i].mode); m++)
			;
		if (m == n && n < MODES_MAX)
			modes[n++] = cells[i].mode;
	}
	return n;
}

static void mode_line(const struct plot *p, const struct cell *cells,
		      unsigned int nr, const char *mode, unsigned int m,
		      enum quantity quantity)
{
	char command = 'M';
	unsigned int i;

	fputs("<path class=\"line\" d=\"", p->to);
	for (i = 0; i < nr; i++) {
		if (strcmp(cells[i].mode, mode))
			continue;
		fprintf(p->to, "%c%.1f %.1f", command,
			at_x(p, log2(cells[i].size)),
			at_y(p, cell_median(&cells[i], quantity)));
		command = 'L';
	}
	fputs("\"", p->to);
	line_style(p->to, m);
	fputs("/>", p->to);
	for (i = 0; i < nr; i++)
		if (!strcmp(cells[i].mode, mode))
			mark_point(p->to, m, at_x(p, log2(cells[i].size)),
				   at_y(p, cell_median(&cells[i], quantity)));
	legend(p->to, m, mode);
}

/* 64, 1k, 16k, 1m */
static const char *short_size(uint64_t size, char buf[32])
{
	const char *unit = "";

	if (size >= 1 << 20 && !(size & 0xfffff)) {
		size >>= 20;
		unit = "M";
	} else if (size >= 1024 && !(size & 0x3ff)) {
		size >>= 10;
		unit = "k";
	}
	snprintf(buf, 32, "%llu%s", (unsigned long long)size, unit);
	return buf;
}

/* One that has no room beside the one before it is left out. */
static void size_labels(const struct plot *p, const struct cell *cells,
			unsigned int nr)
{
	double x, free_from = 0, half;
	uint64_t last = 0;
	unsigned int i;
	char buf[32];

	for (i = 0; i < nr; i++) {
		if (cells[i].size == last)
			continue;
		last = cells[i].size;
		x = at_x(p, log2(last));
		half = strlen(short_size(last, buf)) * 4.5;
		fprintf(p->to, "<path class=\"grid\" d=\"M%.1f %dv4\"/>\n", x,
			PLOT_HEIGHT - BOTTOM);
		if (x - half < free_from)
			continue;
		x_label(p, log2(last), buf);
		free_from = x + half + 6;
	}
}

void svg_sizes(FILE *to, const char *title, const struct cell *cells,
	       unsigned int nr, enum quantity quantity, const char *unit)
{
	struct plot p = { .to = to, .min_x = 64, .max_x = 0 };
	const char *modes[MODES_MAX];
	unsigned int i, n = modes_of(cells, nr, modes);

	for (i = 0; i < nr; i++) {
		p.min_x = fmin(p.min_x, log2(cells[i].size));
		p.max_x = fmax(p.max_x, log2(cells[i].size));
		p.max_y = fmax(p.max_y, cell_median(&cells[i], quantity));
	}
	/* From a message's to a megabyte's: each power of ten is as high. */
	p.log_y = quantity == QUANTITY_INSTRUCTIONS;
	p.min_y = p.max_y;
	for (i = 0; p.log_y && i < nr; i++)
		p.min_y = fmin(p.min_y, fmax(cell_median(&cells[i], quantity), 1));
	set_scale(&p);
	begin_plot(&p, title, n, unit);
	size_labels(&p, cells, nr);
	for (i = 0; i < n; i++)
		mode_line(&p, cells, nr, modes[i], i, quantity);
	fputs("</svg>\n", to);
}

/* Half, nine tenths, 99 % and so on are as far from each other. */
static double share_x(double share)
{
	return share < 0.5 ? share : -log10(2 * (1 - fmin(share, 0.9999))) + 0.5;
}

static void latency_line(const struct plot *p, const struct cell *cell,
			 unsigned int nr)
{
	unsigned int i;

	fputs("<path class=\"line\" d=\"", p->to);
	for (i = 0; i < cell->nr_curve; i++)
		fprintf(p->to, "%c%.1f %.1f", i ? 'L' : 'M',
			at_x(p, share_x(cell->share[i])),
			at_y(p, cell_curve(cell, i) / 1e9));
	fputs("\"", p->to);
	line_style(p->to, nr);
	fputs("/>", p->to);
	for (i = 0; i < cell->nr_curve; i += 3)
		mark_point(p->to, nr, at_x(p, share_x(cell->share[i])),
			   at_y(p, cell_curve(cell, i) / 1e9));
	legend(p->to, nr, cell->mode);
}

void svg_latency(FILE *to, const char *title, const struct cell *cells,
		 unsigned int nr)
{
	static const struct {
		double share;
		const char *text;
	} labels[] = {
		{ 0, "least" }, { .5, "half" }, { .9, "90 %" }, { .99, "99 %" },
		{ .999, "99.9 %" }, { 1, "most" },
	};
	struct plot p = { .to = to, .max_x = share_x(1), .log_y = true,
			  .min_y = 1, .max_y = 1e-6 };
	double seconds;
	unsigned int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < cells[i].nr_curve; j++) {
			seconds = fmax(cell_curve(&cells[i], j), 100) / 1e9;
			p.min_y = fmin(p.min_y, seconds);
			p.max_y = fmax(p.max_y, seconds);
		}
	set_scale(&p);
	begin_plot(&p, title, nr, "s");
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		x_label(&p, share_x(labels[i].share), labels[i].text);
	for (i = 0; i < nr; i++)
		latency_line(&p, &cells[i], i);
	fputs("</svg>\n", to);
}
