/*
 * pg_cluster.h - a PostgreSQL of one's own for a test program: in a temporary folder, on a unix
 * socket, with settings that a careless program trips over.
 *
 * A guardian process starts the server and waits at the end of a pipe: when the test program ends,
 * in whatever way, the pipe closes, and the guardian ends the server and removes the folder.
 */
#ifndef GR_TESTS_PG_CLUSTER_H
#define GR_TESTS_PG_CLUSTER_H

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gr/base/time.h"
#include "gr/sink/pg.h"

struct pg_cluster {
    char folder[64];
    char bin[128];
    int pipe_end; /* the guardian waits for its closing */
    pid_t guardian;
};

static struct pg_cluster cluster;

enum { CLUSTER_TARGETS = 64 }; /* texts of more than these overwrite the first */

/* The newest /usr/lib/postgresql/N/bin, or that of PG_BIN. */
static inline bool
cluster_find(void)
{
    const char *asked = getenv("PG_BIN");
    char path[192];

    for (int version = asked != NULL ? 13 : 30; version >= 13; version--) {
        if (asked != NULL)
            (void)snprintf(cluster.bin, sizeof(cluster.bin), "%s", asked);
        else
            (void)snprintf(cluster.bin, sizeof(cluster.bin), "/usr/lib/postgresql/%d/bin", version);
        (void)snprintf(path, sizeof(path), "%s/initdb", cluster.bin);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* PostgreSQL refuses to run as root. */
static inline void
cluster_step_down(void)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;

    if (user != NULL && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
}

static inline pid_t
cluster_spawn(const char *program, const char *const *args)
{
    pid_t pid = fork();
    char path[192];
    char *argv[32];
    size_t n = 0;
    int null;

    if (pid != 0)
        return pid;
    cluster_step_down();
    null = open("/dev/null", O_RDWR);
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    (void)dup2(null, 2);
    if (chdir("/") != 0)
        _exit(126);
    (void)snprintf(path, sizeof(path), "%s/%s", cluster.bin, program);
    argv[n++] = path;
    for (; args[n - 1] != NULL && n < 31; n++)
        argv[n] = strdup(args[n - 1]);
    argv[n] = NULL;
    (void)execv(path, argv);
    _exit(127);
}

static inline bool
cluster_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline void
cluster_guard(int pipe_end, const char *data)
{
    const char *const server[] = {"-D", data,
                                  "-k", cluster.folder,
                                  "-c", "listen_addresses=",
                                  "-c", "fsync=off",
                                  "-c", "timezone=Asia/Kolkata",
                                  "-c", "datestyle=SQL, DMY",
                                  "-c", "statement_timeout=30000",
                                  "-c", "max_connections=20",
                                  "-c", "intervalstyle=iso_8601",
                                  "-c", "default_transaction_isolation=serializable",
                                  NULL};
    pid_t pid = cluster_spawn("postgres", server);
    char byte;
    char *rm[] = {(char[]){"rm"}, (char[]){"-rf"}, cluster.folder, NULL};

    (void)setsid();
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    while (read(pipe_end, &byte, 1) > 0 || errno == EINTR)
        errno = 0;
    (void)kill(pid, SIGQUIT);
    (void)cluster_wait(pid);
    (void)execv("/bin/rm", rm);
    _exit(127);
}

/* Rules of login: one role is refused, another needs a password. */
static inline bool
cluster_write_hba(const char *data)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/pg_hba.conf", data);
    file = fopen(path, "w");
    if (file == NULL)
        return false;
    (void)fputs("local all stranger reject\n"
                "local all locked scram-sha-256\n"
                "local all all trust\n",
                file);
    return fclose(file) == 0;
}

static inline void
cluster_stop(void)
{
    if (cluster.guardian <= 0)
        return;
    (void)close(cluster.pipe_end);
    (void)cluster_wait(cluster.guardian);
    cluster.guardian = 0;
}

/* The connection of `user` to `database`. */
static inline struct gr_target
cluster_target(const char *user, const char *database)
{
    static const char *keywords[CLUSTER_TARGETS][4];
    static const char *values[CLUSTER_TARGETS][4];
    static unsigned turn;
    unsigned i = turn++ % CLUSTER_TARGETS;

    keywords[i][0] = "host";
    values[i][0] = cluster.folder;
    keywords[i][1] = "user";
    values[i][1] = user;
    keywords[i][2] = "dbname";
    values[i][2] = database;
    return (struct gr_target){
        .name = "WAREHOUSE", .keywords = keywords[i], .values = values[i], .shown = "here:5432/db"};
}

/* True if there is a server to test with. */
static inline bool
cluster_start(void)
{
    char data[80];
    const char *const initdb[] = {"-D", data,   "-A",         "trust",     "-U", "postgres",
                                  "-E", "UTF8", "--locale=C", "--no-sync", NULL};
    int ends[2];
    struct gr_target target;

    if (!cluster_find())
        return false;
    (void)snprintf(cluster.folder, sizeof(cluster.folder), "/tmp/gr-pg-XXXXXX");
    if (mkdtemp(cluster.folder) == NULL || chmod(cluster.folder, 0777) != 0 || pipe(ends) != 0)
        return false;
    (void)snprintf(data, sizeof(data), "%s/data", cluster.folder);
    cluster.guardian = fork();
    if (cluster.guardian == 0) {
        (void)close(ends[1]);
        if (cluster_wait(cluster_spawn("initdb", initdb)) && cluster_write_hba(data))
            cluster_guard(ends[0], data);
        _exit(1);
    }
    (void)close(ends[0]);
    cluster.pipe_end = ends[1];
    (void)fcntl(cluster.pipe_end, F_SETFD, FD_CLOEXEC);
    (void)atexit(cluster_stop);
    target = cluster_target("postgres", "postgres");
    for (int i = 0; i < 300; i++) {
        struct gr_error err;
        struct gr_pg *pg;

        if (gr_pg_open(&target, &pg, &err)) {
            gr_pg_close(pg);
            return true;
        }
        gr_clock_sleep(100);
    }
    return false;
}

/* An immediate stop, as in a crash, is not wanted of the guardian: the server itself is asked. */
static inline pid_t
cluster_postmaster(void)
{
    char path[128];
    long pid = 0;
    FILE *file;
    char line[32];

    (void)snprintf(path, sizeof(path), "%s/data/postmaster.pid", cluster.folder);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof(line), file) != NULL)
        pid = strtol(line, NULL, 10);
    (void)fclose(file);
    return (pid_t)pid;
}

#endif
