/*
 * Runs out of memory inside of a system call that sends signals, and sends none: in-call PID MEBIBYTES. The siginfo that
 * rt_sigqueueinfo(2) reads for signal 0 lies in pages that are not there before.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  size_t length, at;
  char *pages;

  if (argc < 3)
    return 2;
  length = (size_t)atol(argv[2]) << 20;
  pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    return 1;
  for (at = 0; at < length; at += 4096)
    syscall(SYS_rt_sigqueueinfo, atoi(argv[1]), 0, pages + at);
  return 0;
}
