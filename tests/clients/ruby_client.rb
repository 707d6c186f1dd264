# A day in the life of redis-rb: strings, pipelines, a transaction, a watch, a script, a subscription, a blocking pop.
#
# usage: ruby ruby_client.rb PORT PREFIX

require "redis"

port, prefix = ARGV
connect = -> { Redis.new(host: "127.0.0.1", port: port.to_i, timeout: 20) }
client = connect.call
key = ->(name) { "{#{prefix}}:#{name}" }
far = ->(name) { "#{prefix}:#{name}" }
same = ->(got, wanted) { got == wanted or raise "#{got.inspect} is not #{wanted.inspect}" }

same.(client.set(key["a"], "b\0c"), "OK")
same.(client.get(key["a"]), "b\0c")
client.del(key["h"], key["l"])
same.(client.hset(key["h"], "f" => "1"), 1)
same.(client.hgetall(key["h"]), "f" => "1")
names = (0...50).map(&far)
same.(client.mset(*names.flat_map { |name| [name, name] }), "OK")
same.(client.mget(*names), names)
same.(client.scan_each(match: far["*"]).to_a.uniq.size, 50)
same.(client.del(*names), 50)

same.(client.pipelined { |pipe| 100.times { |n| pipe.set(far[n], n); pipe.get(far[n]); pipe.del(far[n]) } }.last(3), ["OK", "99", 1])
same.(client.multi { |transaction| transaction.set(key["n"], 1); transaction.incr(key["n"]) }, ["OK", 2])
same.(client.watch(key["n"]) { connect.call.set(key["n"], 9); client.multi { |transaction| transaction.get(key["n"]) } }, nil)
same.(client.eval("return redis.call('incr', KEYS[1])", keys: [key["n"]]), 10)

heard = Queue.new
listener = Thread.new do
  connect.call.subscribe(far["news"]) do |on|
    on.subscribe { heard << :subscribed }
    on.message { |_, text| heard << text; Thread.current.kill }
  end
end
same.(heard.pop, :subscribed)
client.publish(far["news"], "hello")
same.(heard.pop, "hello")
listener.join(20)

popped = Thread.new { connect.call.blpop(key["l"], timeout: 20) }
client.rpush(key["l"], "x")
same.(popped.value, [key["l"], "x"])
begin
  client.incr(key["h"])
  raise "INCR of a hash must fail"
rescue Redis::CommandError => error
  same.(error.message.start_with?("WRONGTYPE"), true)
end
puts "ok"
