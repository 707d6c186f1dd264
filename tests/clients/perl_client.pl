# A day in the life of Perl's Redis: strings, pipelines, a transaction, a subscription, a blocking pop.
#
# usage: perl perl_client.pl PORT PREFIX

use strict;
use warnings;
use Redis;

my ($port, $prefix) = @ARGV;
sub connected { Redis->new(server => "127.0.0.1:$port", read_timeout => 20) }
sub same { my ($got, $wanted) = @_; $got eq $wanted or die "'$got' is not '$wanted'" }

my $client = connected();
same($client->set("$prefix:a", "b\0c"), "OK");
same($client->get("$prefix:a"), "b\0c");
die "not there" if defined $client->get("$prefix:none");
$client->del("$prefix:h", "$prefix:l");
same($client->hset("$prefix:h", "f", 1), 1);
same(join(",", $client->hgetall("$prefix:h")), "f,1");

my @names = map { "$prefix:m$_" } 0 .. 49;
same($client->mset(map { $_ => $_ } @names), "OK");
same(join(",", $client->mget(@names)), join(",", @names));
same(scalar(my @found = $client->keys("$prefix:m*")), 50);

my @heard;
$client->set("$prefix:p$_", $_, sub { push @heard, $_[0] }) for 0 .. 99;
$client->wait_all_responses;
same(scalar(grep { $_ eq "OK" } @heard), 100);

$client->multi;
$client->set("{$prefix}:n", 1);
$client->incr("{$prefix}:n");
same(join(",", $client->exec), "OK,2");

my ($listener, $message) = (connected(), "");
$listener->subscribe("$prefix:news", sub { $message = $_[0] });
$client->publish("$prefix:news", "hello");
$listener->wait_for_messages(5) until $message;
same($message, "hello");

$client->rpush("$prefix:l", "x");
same(join(",", $client->blpop("$prefix:l", 5)), "$prefix:l,x");
eval { $client->incr("$prefix:h") };
same($@ =~ /WRONGTYPE/ ? "yes" : $@, "yes");
print "ok\n";
