/*
 * Hides what it is, then sends SIGKILL: disguise comm NAME PID (a name of its own), disguise title TEXT PID (written over
 * its arguments), disguise gone FILE PID (removes its own executable first), disguise memfd NAME PID (runs itself again
 * from a file that exists in memory alone), disguise argument0 NAME PID (runs itself again under another first argument).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static int copy_in_memory(const char *name)
{
  int from = open("/proc/self/exe", O_RDONLY), to = memfd_create(name, MFD_CLOEXEC);
  struct stat file;

  fstat(from, &file);
  sendfile(to, from, NULL, file.st_size);
  close(from);
  return to;
}

int main(int argc, char **argv)
{
  if (argc < 4)
    return 2;
  const char *way = argv[1];
  char *name = argv[2];
  pid_t pid = atoi(argv[3]);

  if (!strcmp(way, "comm")) {
    prctl(PR_SET_NAME, name);
  } else if (!strcmp(way, "title")) {
    /* One argument of the whole length, as setproctitle(3) leaves it. */
    char *end = argv[argc - 1] + strlen(argv[argc - 1]);
    char title[4096];
    size_t length = (size_t)(end - argv[0]);
    memset(title, 0, sizeof title);
    strncpy(title, name, sizeof title - 1);
    memcpy(argv[0], title, length < sizeof title ? length : sizeof title);
  } else if (!strcmp(way, "gone")) {
    unlink(name);
  } else if (!strcmp(way, "memfd")) {
    fexecve(copy_in_memory(name), (char *[]){ name, "kill", name, argv[3], NULL }, environ);
    return 1;
  } else if (!strcmp(way, "argument0")) {
    execve(argv[0], (char *[]){ name, "kill", name, argv[3], NULL }, environ);
    return 1;
  }
  return kill(pid, SIGKILL) ? 1 : 0;
}
