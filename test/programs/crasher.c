/*
 * Ends itself, or lets the processor do it: crasher abort | raise SIGNAL | segv | bus | fpe | ill | trap. With `caught`
 * behind it a fault is caught, reported, and raised again; with `aborts` the handler calls abort().
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void report(int number)
{
  signal(number, SIG_DFL);
  usleep(20000);
  raise(number);
}

static void report_and_abort(int number)
{
  (void)number;
  usleep(20000);
  abort();
}

/* Reads behind the end of a file that is mapped. */
static int behind_the_end(void)
{
  return *(volatile char *)mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd_create("empty", 0), 0);
}

static int fail(const char *how)
{
  volatile int one = 1, zero = 0;

  if (!strcmp(how, "segv"))
    *(volatile int *)16 = 1;
  if (!strcmp(how, "bus"))
    return behind_the_end();
  if (!strcmp(how, "fpe"))
    return one / zero;
  if (!strcmp(how, "ill"))
    __builtin_trap();
  if (!strcmp(how, "trap"))
    __asm__ volatile("int3");
  return 2;
}

int main(int argc, char **argv)
{
  static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

  if (argc < 2)
    return 2;
  if (!strcmp(argv[1], "abort"))
    abort();
  if (!strcmp(argv[1], "raise"))
    return raise(atoi(argv[2]));
  for (size_t i = 0; argc > 2 && i < sizeof faults / sizeof *faults; i++)
    signal(faults[i], !strcmp(argv[2], "aborts") ? report_and_abort : report);
  return fail(argv[1]);
}
