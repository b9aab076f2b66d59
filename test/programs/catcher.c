/* Catches a signal, and then: catcher SIGNAL go-on | exit CODE | raise | die | crash | read (by signalfd, then exits). */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char *then;
static int code;

static void caught(int number)
{
  if (!strcmp(then, "exit"))
    _exit(code);
  if (!strcmp(then, "die"))
    kill(getpid(), SIGKILL);
  if (!strcmp(then, "crash"))
    *(volatile char *)8 = 0;
  if (!strcmp(then, "raise")) {
    signal(number, SIG_DFL);
    kill(getpid(), number);
  }
}

/* As many daemons do: the signal is blocked and read like a file. */
static int read_one(int number)
{
  struct signalfd_siginfo info;
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return read(signalfd(-1, &set, 0), &info, sizeof info) != sizeof info;
}

int main(int argc, char **argv)
{
  if (argc < 3)
    return 2;
  int number = atoi(argv[1]);

  then = argv[2];
  code = argc > 3 ? atoi(argv[3]) : 0;
  if (!strcmp(then, "read"))
    return read_one(number);
  signal(number, caught);
  for (;;)
    pause();
}
