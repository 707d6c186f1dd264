<?php
// A day in the life of php-redis (phpredis): strings, arrays, pipelines, a transaction, a script, a scan, sessions' locks.
//
// usage: php php_client.php PORT PREFIX

[, $port, $prefix] = $argv;
function same($got, $wanted) {
    if ($got !== $wanted) {
        throw new Exception(var_export($got, true) . ' is not ' . var_export($wanted, true));
    }
}

$client = new Redis();
$client->connect('127.0.0.1', (int) $port, 20);
$key = fn ($name) => "{{$prefix}}:$name";
$far = fn ($name) => "$prefix:$name";

same($client->set($key('a'), "b\0c\r\n"), true);
same($client->get($key('a')), "b\0c\r\n");
same($client->get($key('none')), false);
$client->del($key('h'), $key('l'), $key('z'));
same($client->hMSet($key('h'), ['f' => '1', 'g' => '2']), true);
same($client->hGetAll($key('h')), ['f' => '1', 'g' => '2']);
same($client->rPush($key('l'), 'x', 'y'), 2);
same($client->blPop([$key('l')], 5), [$key('l'), 'x']);
same($client->zAdd($key('z'), 1.5, 'one'), 1);
same($client->zRange($key('z'), 0, -1, true), ['one' => 1.5]);

$names = array_map($far, range(0, 49));
same($client->mSet(array_combine($names, $names)), true);
same($client->mGet($names), $names);
$found = [];
$cursor = null;
while (($some = $client->scan($cursor, $far('*'), 50)) !== false) {
    array_push($found, ...$some);
}
same(count(array_unique($found)), 50);
same($client->del($names), 50);

$pipe = $client->pipeline();
for ($n = 0; $n < 100; $n++) {
    $pipe->set($far("p$n"), (string) $n)->get($far("p$n"))->del($far("p$n"));
}
same(array_slice($pipe->exec(), -3), [true, '99', 1]);

$client->watch($key('n'));
same($client->multi()->set($key('n'), '1')->incr($key('n'))->exec(), [true, 2]);
same($client->eval('return redis.call("incrby", KEYS[1], ARGV[1])', [$key('n'), 3], 1), 5);
same($client->set($key('lock'), 'me', ['nx', 'px' => 20000]), true);
same($client->set($key('lock'), 'you', ['nx', 'px' => 20000]), false);
same($client->del($key('lock')), 1);
same(is_string($client->info()['redis_version']), true);

try {
    same($client->incr($key('h')), false);
    same(str_contains($client->getLastError(), 'WRONGTYPE'), true);
} catch (RedisException $error) {
    same(str_contains($error->getMessage(), 'WRONGTYPE'), true);
}
echo "ok\n";
