/*
 * A process that ends by itself, and a signal that comes too late: too-late dying | zombie, SIGNAL. `dying`: between its
 * exit and the end of its last thread; `zombie`: before its parent has asked how it ended. The one that ends exits with 3.
 * It prints `victim PID` and `killer PID`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Giving it back takes the kernel some time. */
#define MEMORY (256ul << 20)

static char *memory;
static volatile int giving_back;

/* The kernel gives up this lock at once for a thread that ends (futex_exit_release). */
static pthread_mutex_t *lock_of_the_living(void)
{
  pthread_mutex_t *lock =
    mmap(NULL, sizeof *lock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t kind;

  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(lock, &kind);
  return lock;
}

/* Holds up the end of the process: it is not over before its last thread has come out of the kernel. */
static void *give_back(void *unused)
{
  giving_back = 1;
  munmap(memory, MEMORY);
  return unused;
}

/* Its child sends the signal as soon as the lock is free. */
static int dies(int number)
{
  pthread_mutex_t *lock = lock_of_the_living();
  pid_t victim = getpid(), killer;
  pthread_t thread;

  pthread_mutex_lock(lock);
  killer = fork();
  if (killer == 0) {
    if (pthread_mutex_lock(lock) == EOWNERDEAD)
      kill(victim, number);
    _exit(0);
  }
  printf("victim %d\nkiller %d\n", victim, killer);
  fflush(stdout);
  memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, MEMORY, MADV_NOHUGEPAGE);
  memset(memory, 1, MEMORY);
  usleep(300000);
  pthread_create(&thread, NULL, give_back, NULL);
  while (!giving_back)
    ;
  _exit(3);
}

static int has_zombie(int number)
{
  pid_t victim = fork();
  siginfo_t ended;

  if (victim == 0) {
    execlp("victim", "victim", "exit", "3", NULL);
    _exit(127);
  }
  printf("victim %d\nkiller %d\n", victim, getpid());
  fflush(stdout);
  waitid(P_PID, victim, &ended, WEXITED | WNOWAIT);
  kill(victim, number);
  waitpid(victim, NULL, 0);
  return 0;
}

int main(int argc, char **argv)
{
  if (argc < 3)
    return 2;
  return !strcmp(argv[1], "zombie") ? has_zombie(atoi(argv[2])) : dies(atoi(argv[2]));
}
