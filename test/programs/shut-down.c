/* Calls reboot(2), which in a pid namespace of its own ends the first process there; refuses to outside of one. */
#define _GNU_SOURCE
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

/* The inode number of the first pid namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
#define FIRST_NAMESPACE 0xEFFFFFFC

int main(void)
{
  struct stat own;

  if (stat("/proc/self/ns/pid", &own) || own.st_ino == FIRST_NAMESPACE)
    return 2;
  return reboot(RB_POWER_OFF);
}
