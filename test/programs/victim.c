/* A process to be killed, in the way its first argument says. Prints nothing; runs until a signal ends it, 30 s at most. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_for_signals(void)
{
  for (;;)
    pause();
}

static void leave(int signal)
{
  (void)signal;
  _exit(0);
}

static void *idle(void *unused)
{
  (void)unused;
  wait_for_signals();
  return NULL;
}

static pthread_barrier_t together;

/* Ends this thread alone, as pthread_exit would, at the same moment as all others. */
static void *end_together(void *unused)
{
  (void)unused;
  pthread_barrier_wait(&together);
  syscall(SYS_exit, 3);
  return NULL;
}

/* exec by a thread other than the first: it takes over the process and its number. */
static void *exec_from_thread(void *unused)
{
  (void)unused;
  execl("/bin/sleep", "sleep", "0", NULL);
  return NULL;
}

static void start_threads(int count, void *(*run)(void *))
{
  pthread_t thread;

  while (count-- > 0)
    pthread_create(&thread, NULL, run, NULL);
}

int main(int argc, char **argv)
{
  const char *way = argc > 1 ? argv[1] : "wait";
  int number = argc > 2 ? atoi(argv[2]) : 0;
  sigset_t every;

  alarm(30); /* so that a test whose killer fails does not wait for ever */
  if (!strcmp(way, "catch-term")) {
    signal(SIGTERM, leave);
  } else if (!strcmp(way, "ignore-term")) {
    signal(SIGTERM, SIG_IGN);
  } else if (!strcmp(way, "block-term")) {
    sigemptyset(&every);
    sigaddset(&every, SIGTERM);
    sigprocmask(SIG_BLOCK, &every, NULL);
  } else if (!strcmp(way, "threads")) {
    start_threads(number, idle);
  } else if (!strcmp(way, "exec-from-thread")) {
    start_threads(1, exec_from_thread);
  } else if (!strcmp(way, "end-together")) {
    pthread_barrier_init(&together, NULL, number + 1);
    start_threads(number, end_together);
    end_together(NULL);
  } else if (!strcmp(way, "segv")) {
    *(volatile int *)0 = 1;
  } else if (!strcmp(way, "abort")) {
    abort();
  } else if (!strcmp(way, "exit")) {
    exit(number);
  } else if (!strcmp(way, "memory")) {
    for (size_t megabyte = 1 << 20;; )
      memset(malloc(megabyte), 1, megabyte);
  }
  wait_for_signals();
}
