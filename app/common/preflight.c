/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * preflight - checks CPUs and memory before the EAL starts, and calls the checks of devices. Each
 * failure is one line: what is wrong, and what to do. Floor 6.
 */
#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args_err.h"
#include "preflight.h"

#define HUGE_SYSFS "/sys/kernel/mm/hugepages"

long long rnl_preflight_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long long v = -1;

	if (f == NULL)
		return -1;
	if (fscanf(f, "%lld", &v) != 1)
		v = -1;
	fclose(f);
	return v;
}

/* The value behind "key" in a file of "key value" lines, in the given base; 0 when it is not there.
 */
static unsigned long long field(const char *path, const char *key, int base)
{
	FILE *f = fopen(path, "re");
	unsigned long long v = 0;
	char line[256];

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			v = strtoull(line + strlen(key), NULL, base);
	fclose(f);
	return v;
}

bool rnl_preflight_has_cap(unsigned int cap)
{
	return (field("/proc/self/status", "CapEff:", 16) >> cap & 1) != 0;
}

uint64_t rnl_preflight_free_huge_mb(void)
{
	DIR *d = opendir(HUGE_SYSFS);
	struct dirent *e;
	uint64_t kb_free = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char path[512];
		unsigned long long kb;
		long long n;

		if (sscanf(e->d_name, "hugepages-%llukB", &kb) != 1)
			continue;
		snprintf(path, sizeof(path), HUGE_SYSFS "/%s/free_hugepages", e->d_name);
		n = rnl_preflight_number(path);
		kb_free += n > 0 ? (uint64_t)n * kb : 0;
	}
	if (d != NULL)
		closedir(d);
	return kb_free / 1024;
}

/* "0-3,7": the set as text, cut when it is long. */
static const char *cpus_text(const cpu_set_t *set, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (int i = 0; i < CPU_SETSIZE && used + 12 < len; i++) {
		int last = i;

		if (!CPU_ISSET(i, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		used += (size_t)snprintf(buf + used, len - used, last > i ? "%s%d-%d" : "%s%d",
		                         used == 0 ? "" : ",", i, last);
		i = last;
	}
	return buf;
}

static int check_cpus(const struct rnl_eal_args *a, struct rnl_error *err)
{
	cpu_set_t allowed;
	char text[80], path[64];

	CPU_ZERO(&allowed);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 0; /* more CPUs than a cpu_set_t holds: the EAL has to see to it */
	for (int i = 0; i < RNL_EAL_MAX_CPUS && i < CPU_SETSIZE; i++) {
		if ((a->cpus[i / 8] >> i % 8 & 1) == 0 || CPU_ISSET(i, &allowed))
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", i);
		if (access(path, F_OK) != 0)
			return rnl_app_err(err, -EINVAL,
			                   "CPU %d does not exist: name CPUs among %s with "
			                   "-l, or map lcores with --lcores",
			                   i, cpus_text(&allowed, text, sizeof(text)));
		return rnl_app_err(err, -EPERM,
		                   "CPU %d is offline or not allowed for this process: name "
		                   "CPUs among %s with -l, or change taskset or the cpuset",
		                   i, cpus_text(&allowed, text, sizeof(text)));
	}
	return 0;
}

static int check_no_huge(const struct rnl_eal_args *a, struct rnl_error *err)
{
	unsigned long long available = field("/proc/meminfo", "MemAvailable:", 10) / 1024;

	if (a->in_memory)
		return rnl_app_err(err, -EINVAL,
		                   "--no-huge and --in-memory exclude each other: leave "
		                   "--in-memory away");
	if (available != 0 && a->mem_mb > available)
		return rnl_app_err(err, -ENOMEM,
		                   "-m %llu is more than the %llu MiB of memory that are "
		                   "available: give less",
		                   (unsigned long long)a->mem_mb, available);
	return 0;
}

/* @return whether a hugetlbfs is mounted that we may write to; *dir is the last one seen. */
static bool huge_mount(const char *wanted, char *dir, size_t len)
{
	FILE *f = setmntent("/proc/mounts", "re");
	struct mntent *m;
	bool ok = false;

	dir[0] = '\0';
	while (f != NULL && !ok && (m = getmntent(f)) != NULL) {
		if (strcmp(m->mnt_type, "hugetlbfs") != 0 ||
		    (wanted != NULL && strcmp(m->mnt_dir, wanted) != 0))
			continue;
		snprintf(dir, len, "%s", m->mnt_dir);
		ok = access(m->mnt_dir, W_OK | X_OK) == 0;
	}
	if (f != NULL)
		endmntent(f);
	return ok;
}

static int check_huge_mount(const struct rnl_eal_args *a, struct rnl_error *err)
{
	char dir[128];

	if (a->in_memory || huge_mount(a->huge_dir, dir, sizeof(dir)))
		return 0;
	if (dir[0] != '\0')
		return rnl_app_err(err, -EACCES,
		                   "%s is not writable for this user: chown it, or add "
		                   "--in-memory",
		                   dir);
	if (a->huge_dir != NULL)
		return rnl_app_err(err, -ENOENT,
		                   "no hugetlbfs is mounted at %s: mount it there, or leave "
		                   "--huge-dir away",
		                   a->huge_dir);
	return rnl_app_err(err, -ENOENT,
	                   "no hugetlbfs is mounted: mount -t hugetlbfs none "
	                   "/dev/hugepages, or add --in-memory");
}

static int check_huge(const struct rnl_eal_args *a, struct rnl_error *err)
{
	uint64_t have = rnl_preflight_free_huge_mb();

	if (have == 0)
		return rnl_app_err(err, -ENOMEM,
		                   "no hugepages are free: reserve some (echo 512 > "
		                   "/proc/sys/vm/nr_hugepages), or go without (--no-huge -m 512)");
	if (a->mem_mb > have)
		return rnl_app_err(err, -ENOMEM,
		                   "%llu MiB are asked for and %llu MiB of hugepages are "
		                   "free: reserve more (/proc/sys/vm/nr_hugepages), or give less",
		                   (unsigned long long)a->mem_mb, (unsigned long long)have);
	return check_huge_mount(a, err);
}

static int check_devices(const struct rnl_eal_args *a, struct rnl_error *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < a->nb_pci && rc == 0; i++)
		rc = rnl_preflight_pci(a, a->pci[i], err);
	for (unsigned int i = 0; i < a->nb_vdev && rc == 0; i++)
		rc = rnl_preflight_vdev(a->vdev[i], err);
	return rc;
}

int rnl_eal_preflight(const struct rnl_eal_args *args, struct rnl_error *err)
{
	int rc = check_cpus(args, err);

	if (rc == 0 && !args->secondary)
		rc = args->no_huge ? check_no_huge(args, err) : check_huge(args, err);
	return rc == 0 ? check_devices(args, err) : rc;
}
