/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim --seeds FROM-TO [--twice] [--verbose] [--pcap FILE] [--require-coverage FILE]
 * Exit 0: all passed; 1: a seed failed, or a counter never fired; 2: could not run.
 */
#include <stdlib.h>
#include <string.h>

#include "seam.h"
#include "sim.h"

struct options {
	uint64_t from, to;
	bool twice, verbose;
	const char *pcap, *coverage;
};

struct totals {
	uint64_t counters[SIM_COUNTERS_MAX];
	uint64_t hash, frames, octets;
	unsigned int passed, failed, conns;
};

static bool run(const struct options *o, uint64_t seed, struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->verbose = o->verbose;
	return sim_run(w, seed);
}

/* Runs a failing seed again, this time with every frame written down. */
static void capture(const struct options *o, uint64_t seed, struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->pcap = pcap_open(o->pcap);
	if (w->pcap == NULL) {
		printf("  %s cannot be written\n", o->pcap);
		return;
	}
	sim_run(w, seed);
	fclose(w->pcap);
	printf("  its frames are in %s\n", o->pcap);
}

static void run_seed(const struct options *o, uint64_t seed, struct world *w, struct totals *t)
{
	bool ok = run(o, seed, w);
	uint64_t hash = w->hash;

	t->hash = (t->hash ^ hash) * UINT64_C(0x100000001b3);
	t->frames += w->frames;
	t->octets += w->octets;
	t->conns += w->delivered_conns;
	for (unsigned int i = 0; i < SIM_COUNTERS_MAX; i++)
		t->counters[i] += w->counters[i];
	if (o->verbose)
		printf("seed %llu: %llu frames, hash %016llx\n", (unsigned long long)seed,
		       (unsigned long long)w->frames, (unsigned long long)hash);
	if (ok && o->twice && (!run(o, seed, w) || w->hash != hash)) {
		sim_fail(w, "the second run differs from the first");
		ok = false;
	}
	if (ok) {
		t->passed++;
		return;
	}
	t->failed++;
	printf("FAIL seed %llu at %llu.%06llu s: %s\n", (unsigned long long)seed,
	       (unsigned long long)(w->now_ns / SIM_S),
	       (unsigned long long)(w->now_ns / 1000 % 1000000), w->why);
	if (o->pcap != NULL && t->failed == 1)
		capture(o, seed, w);
	fflush(stdout);
	if (node_pools_leak() != 0) {
		printf("buffers are lost: no further seed would be sound\n");
		exit(1);
	}
}

static bool file_mentions(const char *path, const char *word)
{
	char line[1024];
	bool found = false;
	FILE *f = fopen(path, "r");

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = strstr(line, word) != NULL;
	if (f != NULL)
		fclose(f);
	return found;
}

/*
 * A line of the list is "counter  file", the file beside the list's folder; it must name the
 * counter.
 * '#' begins a comment.
 */
static bool allowed(const char *list, const char *counter)
{
	char line[256], name[128], where[128], path[512];
	const char *slash = strrchr(list, '/');
	bool found = false;
	FILE *f = fopen(list, "r");

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%127s %127s", name, where) != 2 || strcmp(name, counter) != 0)
			continue;
		found = strcmp(where, "-") == 0;
		if (found)
			break;
		snprintf(path, sizeof(path), "%.*s../%s",
		         slash == NULL ? 0 : (int)(slash - list + 1), list, where);
		found = file_mentions(path, counter);
		if (!found)
			printf("%s does not name %s\n", path, counter);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

static unsigned int coverage(const struct options *o, const struct totals *t)
{
	unsigned int missing = 0;

	for (unsigned int i = 1; i < rnl_counters_count() && i < SIM_COUNTERS_MAX; i++) {
		const char *name = rnl_counter_name(i);

		if (t->counters[i] != 0 || name == NULL)
			continue;
		if (o->coverage != NULL && allowed(o->coverage, name))
			continue;
		printf("never fired: %s\n", name);
		missing++;
	}
	return missing;
}

static int usage(void)
{
	fprintf(stderr, "usage: sim --seeds FROM-TO [--twice] [--verbose] [--pcap FILE] "
	                "[--require-coverage FILE]\n");
	return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		char *end;

		if (strcmp(argv[i], "--twice") == 0) {
			o->twice = true;
		} else if (strcmp(argv[i], "--verbose") == 0) {
			o->verbose = true;
		} else if (next == NULL) {
			return false;
		} else if (strcmp(argv[i], "--pcap") == 0) {
			o->pcap = argv[++i];
		} else if (strcmp(argv[i], "--require-coverage") == 0) {
			o->coverage = argv[++i];
		} else if (strcmp(argv[i], "--seeds") == 0) {
			o->from = o->to = strtoull(argv[++i], &end, 10);
			if (*end == '-')
				o->to = strtoull(end + 1, &end, 10);
			if (*end != '\0' || o->to < o->from)
				return false;
		} else {
			return false;
		}
	}
	return o->to != 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct totals t = {0};
	struct world *w = malloc(sizeof(*w));
	unsigned int missing;

	if (!parse(argc, argv, &o))
		return usage();
	if (w == NULL || rnl_seam_eal_init(argv[0], 256) < 0 || node_pools_init() < 0) {
		fprintf(stderr, "sim: the EAL does not start, or has no memory\n");
		return 2;
	}
	for (uint64_t seed = o.from; seed <= o.to; seed++)
		run_seed(&o, seed, w, &t);
	missing = coverage(&o, &t);
	printf("%u connections delivered in order, %llu octets, %llu frames, hash %016llx\n",
	       t.conns, (unsigned long long)t.octets, (unsigned long long)t.frames,
	       (unsigned long long)t.hash);
	printf("%u passed, %u failed\n", t.passed, t.failed);
	free(w);
	return t.failed != 0 || (o.coverage != NULL && missing != 0) ? 1 : 0;
}
