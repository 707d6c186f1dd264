/* A day in the life of hiredis: one call at a time, many at once, a transaction, a subscription, a blocking pop.
 *
 * usage: hiredis_client PORT PREFIX
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int holds, const char *what, const redisReply *reply) {
    if (holds) return;
    fprintf(stderr, "%s: %s\n", what, reply && reply->str ? reply->str : "another reply");
    exit(1);
}

static redisReply *next(redisContext *client) {
    void *reply = NULL;
    must(redisGetReply(client, &reply) == REDIS_OK, client->errstr, NULL);
    return reply;
}

static void says(redisReply *reply, const char *text) {
    must(reply && reply->str && strcmp(reply->str, text) == 0, text, reply);
    freeReplyObject(reply);
}

static void counts(redisReply *reply, long long number) {
    must(reply && reply->type == REDIS_REPLY_INTEGER && reply->integer == number, "a number", reply);
    freeReplyObject(reply);
}

static void pipeline(redisContext *client, const char *prefix) {
    for (int n = 0; n < 500; n++) {
        redisAppendCommand(client, "SET %s:p%d %d", prefix, n, n);
        redisAppendCommand(client, "GET %s:p%d", prefix, n);
    }
    for (int n = 0; n < 500; n++) {
        char text[16];
        snprintf(text, sizeof text, "%d", n);
        says(next(client), "OK");
        says(next(client), text);
    }
}

static void transaction(redisContext *client, const char *prefix) {
    says(redisCommand(client, "MULTI"), "OK");
    says(redisCommand(client, "SET {%s}:a 1", prefix), "QUEUED");
    says(redisCommand(client, "INCR {%s}:a", prefix), "QUEUED");
    redisReply *reply = redisCommand(client, "EXEC");
    must(reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2, "EXEC", reply);
    must(reply->element[1]->integer == 2, "INCR", reply->element[1]);
    freeReplyObject(reply);
}

static void subscription(redisContext *client, redisContext *other, const char *prefix) {
    freeReplyObject(redisCommand(client, "SUBSCRIBE %s:news", prefix));
    freeReplyObject(redisCommand(other, "PUBLISH %s:news hello", prefix));
    redisReply *reply = next(client);
    must(reply->elements == 3 && strcmp(reply->element[2]->str, "hello") == 0, "a message", reply);
    freeReplyObject(reply);
    freeReplyObject(redisCommand(client, "UNSUBSCRIBE"));
    says(redisCommand(client, "PING"), "PONG");
}

static void blocking(redisContext *client, redisContext *other, const char *prefix) {
    freeReplyObject(redisCommand(client, "DEL %s:l", prefix));
    redisAppendCommand(client, "BLPOP %s:l 20", prefix);
    int done = 0;
    while (!done) must(redisBufferWrite(client, &done) == REDIS_OK, client->errstr, NULL);
    counts(redisCommand(other, "RPUSH %s:l x", prefix), 1);
    redisReply *reply = next(client);
    must(reply->elements == 2 && strcmp(reply->element[1]->str, "x") == 0, "BLPOP", reply);
    freeReplyObject(reply);
}

int main(int count, char **args) {
    must(count == 3, "usage: hiredis_client PORT PREFIX", NULL);
    redisContext *client = redisConnect("127.0.0.1", atoi(args[1]));
    redisContext *other = redisConnect("127.0.0.1", atoi(args[1]));
    must(client && !client->err && other && !other->err, "a connection", NULL);
    says(redisCommand(client, "SET %s:a %b", args[2], "b\0c", (size_t)3), "OK");
    counts(redisCommand(client, "STRLEN %s:a", args[2]), 3);
    pipeline(client, args[2]);
    transaction(client, args[2]);
    subscription(client, other, args[2]);
    blocking(client, other, args[2]);
    redisFree(client);
    redisFree(other);
    puts("ok");
    return 0;
}
