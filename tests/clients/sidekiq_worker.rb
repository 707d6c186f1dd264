# A Sidekiq worker that runs jobs, one of them tried again. A namespace keeps Sidekiq's keys in one slot.
#
# usage: ruby sidekiq_worker.rb PORT PREFIX

require "sidekiq"
require "sidekiq/launcher"
require "redis-namespace"

port, prefix = ARGV
Redis.silence_deprecations = true
redis = { url: "redis://127.0.0.1:#{port}/0", namespace: "{#{prefix}}" }
Sidekiq.configure_client { |config| config.redis = redis }
Sidekiq.logger.level = Logger::WARN

class Job
  include Sidekiq::Job

  def perform(number)
    Sidekiq.redis { |client| client.rpush("done", number * 2) }
  end
end

Sidekiq.redis { |client| client.del("done", "queue:default", "schedule") }
10.times { |number| Job.perform_async(number) }
Sidekiq::Client.push_bulk("class" => Job, "args" => (10...20).map { |number| [number] })
Job.perform_in(0.1, 20)
Sidekiq.redis { |client| raise "not all are queued" unless client.llen("queue:default") == 20 }

options = Sidekiq.options.merge(queues: ["default"], concurrency: 3, timeout: 5, poll_interval_average: 0.1)
launcher = Sidekiq::Launcher.new(options)
launcher.run
done = nil
deadline = Time.now + 30
until (done = Sidekiq.redis { |client| client.lrange("done", 0, -1) }).size == 21
  raise "only #{done}" if Time.now > deadline
  sleep 0.01
end
launcher.stop
raise done.inspect unless done.map(&:to_i).sort == (0..20).map { |number| number * 2 }
puts "ok"
