/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * preflight_dev - what a PCI device or a virtual one needs of this machine: a driver, files, an
 * interface, rights. Floor 6.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args_err.h"
#include "preflight.h"

#define PCI_SYSFS "/sys/bus/pci/devices"

/* A --vdev in pieces. */
struct vdev {
	char driver[64];
	const char *args; /* behind the first comma, or "" */
};

/* @return whether text is a PCI address; writes its full form. */
static bool pci_address(const char *text, char out[16])
{
	unsigned int domain = 0, bus, dev, fn;
	char end = '\0';

	if (strncmp(text, "pci:", 4) == 0)
		text += 4;
	if (sscanf(text, "%4x:%2x:%2x.%1u%c", &domain, &bus, &dev, &fn, &end) < 4) {
		domain = 0;
		end = '\0';
		if (sscanf(text, "%2x:%2x.%1u%c", &bus, &dev, &fn, &end) < 3)
			return false;
	}
	if (end != '\0' && end != ',')
		return false;
	snprintf(out, 16, "%04x:%02x:%02x.%u", domain & 0xffff, bus & 0xff, dev & 0xff, fn & 7);
	return true;
}

/* The last part of what a link points to, such as a driver's or IOMMU group's name. */
static const char *link_name(const char *pci, const char *link, char *buf, size_t len)
{
	char path[128], target[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), PCI_SYSFS "/%s/%s", pci, link);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return NULL;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(buf, len, "%.*s", (int)len - 1, slash == NULL ? target : slash + 1);
	return buf;
}

/* A process without CAP_IPC_LOCK may map for DMA only what RLIMIT_MEMLOCK lets it lock. */
static int check_memlock(const struct rnl_eal_args *a, struct rnl_error *err)
{
	uint64_t need_mb = a->mem_mb != 0 ? a->mem_mb : rnl_preflight_free_huge_mb();
	struct rlimit lim;

	if (rnl_preflight_has_cap(RNL_CAP_IPC_LOCK) || getrlimit(RLIMIT_MEMLOCK, &lim) != 0 ||
	    lim.rlim_cur == RLIM_INFINITY || lim.rlim_cur >> 20 >= need_mb)
		return 0;
	return rnl_app_err(err, -EPERM,
	                   "only %llu MiB may be locked and vfio needs %llu: raise memlock "
	                   "(ulimit -l, /etc/security/limits.conf)",
	                   (unsigned long long)lim.rlim_cur >> 20, (unsigned long long)need_mb);
}

static int check_vfio(const struct rnl_eal_args *a, const char *pci, struct rnl_error *err)
{
	char group[32], path[64];

	if (link_name(pci, "iommu_group", group, sizeof(group)) == NULL)
		return rnl_app_err(err, -ENODEV,
		                   "PCI device %s has no IOMMU group: switch the IOMMU on "
		                   "(intel_iommu=on), or enable vfio's no-IOMMU mode",
		                   pci);
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	if (access(path, F_OK) != 0)
		snprintf(path, sizeof(path), "/dev/vfio/noiommu-%s", group);
	if (access(path, R_OK | W_OK) != 0 || access("/dev/vfio/vfio", R_OK | W_OK) != 0)
		return rnl_app_err(err, -EACCES,
		                   "%s cannot be opened (%s): chown it and /dev/vfio/vfio "
		                   "to this user, or run as root",
		                   path, strerror(errno));
	return check_memlock(a, err);
}

int rnl_preflight_pci(const struct rnl_eal_args *a, const char *text, struct rnl_error *err)
{
	/* Drivers that let DPDK in: the user-space ones, and NICs that share their kernel driver.
	 */
	static const char *const usable[] = {"vfio-pci",  "uio_pci_generic", "igb_uio",
	                                     "mlx5_core", "mlx4_core",       NULL};
	char pci[16], path[64], driver[64];
	unsigned int i = 0;

	if (!pci_address(text, pci))
		return 0;
	if (a->no_pci)
		return rnl_app_err(err, -EINVAL,
		                   "-a %s and --no-pci exclude each other: leave one away", pci);
	snprintf(path, sizeof(path), PCI_SYSFS "/%s", pci);
	if (access(path, F_OK) != 0)
		return rnl_app_err(err, -ENODEV,
		                   "PCI device %s does not exist: dpdk-devbind.py --status "
		                   "lists those that do",
		                   pci);
	if (link_name(pci, "driver", driver, sizeof(driver)) == NULL)
		return rnl_app_err(err, -ENODEV,
		                   "PCI device %s has no driver: dpdk-devbind.py -b vfio-pci "
		                   "%s",
		                   pci, pci);
	while (usable[i] != NULL && strcmp(usable[i], driver) != 0)
		i++;
	if (usable[i] == NULL)
		return rnl_app_err(err, -EBUSY,
		                   "PCI device %s belongs to the kernel's %s: "
		                   "dpdk-devbind.py -b vfio-pci %s",
		                   pci, driver, pci);
	return i == 0 ? check_vfio(a, pci, err) : 0;
}

static struct vdev split(const char *text)
{
	const char *comma = strchr(text, ',');
	size_t len = comma == NULL ? strlen(text) : (size_t)(comma - text);
	struct vdev v = {.args = comma == NULL ? "" : comma + 1};

	snprintf(v.driver, sizeof(v.driver), "%.*s", (int)len, text);
	return v;
}

/* The value of key in "a=b,key=value": copied to buf, or NULL. */
static const char *vdev_arg(const struct vdev *v, const char *key, char *buf, size_t len)
{
	size_t klen = strlen(key);
	const char *p = v->args;

	while (p != NULL && *p != '\0') {
		if (strncmp(p, key, klen) == 0 && p[klen] == '=') {
			snprintf(buf, len, "%.*s", (int)strcspn(p + klen + 1, ","), p + klen + 1);
			return buf;
		}
		p = strchr(p, ',');
		p = p == NULL ? NULL : p + 1;
	}
	return NULL;
}

static int check_af_packet(const struct vdev *v, struct rnl_error *err)
{
	char name[64];

	if (vdev_arg(v, "iface", name, sizeof(name)) == NULL)
		return rnl_app_err(err, -EINVAL, "--vdev=%s has no interface: add iface=NAME",
		                   v->driver);
	if (if_nametoindex(name) == 0)
		return rnl_app_err(err, -ENODEV,
		                   "interface %s of --vdev=%s does not exist: ip link lists "
		                   "those that do",
		                   name, v->driver);
	if (!rnl_preflight_has_cap(RNL_CAP_NET_RAW))
		return rnl_app_err(err, -EPERM,
		                   "--vdev=%s needs CAP_NET_RAW: run as root, or setcap "
		                   "cap_net_raw+ep on the program",
		                   v->driver);
	return 0;
}

static int check_tap(const struct vdev *v, struct rnl_error *err)
{
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		return rnl_app_err(err, -errno,
		                   "/dev/net/tun cannot be opened (%s): modprobe tun, or "
		                   "give this user access",
		                   strerror(errno));
	if (!rnl_preflight_has_cap(RNL_CAP_NET_ADMIN))
		return rnl_app_err(err, -EPERM,
		                   "--vdev=%s needs CAP_NET_ADMIN: run as root, or setcap "
		                   "cap_net_admin+ep on the program",
		                   v->driver);
	return 0;
}

/* A socket that we shall make: its folder must be there and writable. */
static int check_folder(const struct vdev *v, const char *path, struct rnl_error *err)
{
	char copy[PATH_MAX];
	const char *dir;

	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	if (access(dir, W_OK | X_OK) == 0)
		return 0;
	return rnl_app_err(err, -errno,
	                   "--vdev=%s cannot make a socket in %.100s (%s): make the folder "
	                   "writable, or choose another one",
	                   v->driver, dir, strerror(errno));
}

static int check_vhost(const struct vdev *v, struct rnl_error *err)
{
	char path[PATH_MAX], client[8];

	if (vdev_arg(v, "iface", path, sizeof(path)) == NULL)
		return rnl_app_err(err, -EINVAL, "--vdev=%s has no socket: add iface=PATH",
		                   v->driver);
	if (vdev_arg(v, "client", client, sizeof(client)) != NULL && strcmp(client, "1") == 0)
		return 0;
	/* The vhost library never unlinks what it finds, so that bind() would fail. */
	if (access(path, F_OK) == 0)
		return rnl_app_err(err, -EADDRINUSE,
		                   "socket %.100s of --vdev=%s exists: remove it, if no "
		                   "process uses it any more",
		                   path, v->driver);
	return check_folder(v, path, err);
}

/* @return whether somebody of this network namespace listens on the abstract socket. */
static bool abstract_exists(const char *name)
{
	FILE *f = fopen("/proc/net/unix", "re");
	char line[PATH_MAX + 128];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		const char *at = strchr(line, '@');

		found = at != NULL && strncmp(at + 1, name, strlen(name)) == 0 &&
		        at[1 + strlen(name)] == '\n';
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* A client's start fails at once when there is no server; the driver does not try again. */
static int check_memif(const struct vdev *v, struct rnl_error *err)
{
	char path[PATH_MAX] = "/run/memif.sock", value[16];
	bool file = vdev_arg(v, "socket-abstract", value, sizeof(value)) != NULL &&
	            strcmp(value, "no") == 0;
	bool server = vdev_arg(v, "role", value, sizeof(value)) != NULL &&
	              (strcmp(value, "server") == 0 || strcmp(value, "master") == 0);

	(void)vdev_arg(v, "socket", path, sizeof(path));
	if (server)
		return file ? check_folder(v, path, err) : 0;
	if (file ? access(path, F_OK) == 0 : abstract_exists(path))
		return 0;
	return rnl_app_err(err, -ENOENT,
	                   "no server has socket %.100s of --vdev=%s: start the one with "
	                   "role=server first",
	                   path, v->driver);
}

static int check_virtio_user(const struct vdev *v, struct rnl_error *err)
{
	char path[PATH_MAX], server[8];
	struct stat st;

	if (vdev_arg(v, "path", path, sizeof(path)) == NULL)
		return rnl_app_err(err, -EINVAL,
		                   "--vdev=%s has no peer: add path=SOCKET or "
		                   "path=/dev/vhost-net",
		                   v->driver);
	if (vdev_arg(v, "server", server, sizeof(server)) != NULL && strcmp(server, "1") == 0)
		return check_folder(v, path, err);
	if (stat(path, &st) != 0)
		return rnl_app_err(err, -ENOENT,
		                   "%.100s of --vdev=%s does not exist: start the vhost side "
		                   "first, or add server=1",
		                   path, v->driver);
	if (access(path, R_OK | W_OK) != 0)
		return rnl_app_err(err, -EACCES,
		                   "%.100s of --vdev=%s cannot be opened (%s): give this "
		                   "user access",
		                   path, v->driver, strerror(errno));
	return 0;
}

int rnl_preflight_vdev(const char *text, struct rnl_error *err)
{
	static const struct {
		const char *name;
		int (*check)(const struct vdev *v, struct rnl_error *err);
	} drivers[] = {
	    {"net_af_packet", check_af_packet},
	    {"eth_af_packet", check_af_packet},
	    {"net_tap", check_tap},
	    {"eth_tap", check_tap},
	    {"net_vhost", check_vhost},
	    {"eth_vhost", check_vhost},
	    {"net_memif", check_memif},
	    {"net_virtio_user", check_virtio_user},
	    {"virtio_user", check_virtio_user},
	};
	const struct vdev v = split(text);

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strncmp(v.driver, drivers[i].name, strlen(drivers[i].name)) == 0)
			return drivers[i].check(&v, err);
	return 0;
}
